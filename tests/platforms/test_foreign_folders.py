"""A folder of foreign models is never left: not by names, links, hard links, or patterns."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fleetcast.config.other_layout import NotAdopted
from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.identity import CircuitKey
from fleetcast.platforms.foreign.folder_source import FolderSource
from fleetcast.platforms.foreign.plain_copy import plain_copy

KEY = CircuitKey("P1", "C1")


def model(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "MLmodel").write_text("flavors: {}\n")
    (folder / "data").mkdir()
    (folder / "data" / "weights").write_bytes(b"1")
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def fetched(root: Path, name: str, into: Path) -> Path:
    source = FolderSource(root)
    source.fetch(source.find({KEY: name}).models[KEY], into)
    return into


@pytest.mark.parametrize("name", ["..", ".", "../outside", "%2e%2e", "a/b"])
def test_a_name_that_is_not_one_of_the_folders_is_refused(root: Path, name: str) -> None:
    model(root.parent / "outside")
    (root.parent / "MLmodel").write_text("flavors: {}\n")
    with pytest.raises(BadInput, match="is not the name of one folder"):
        FolderSource(root).find({KEY: name})


def test_a_name_is_no_pattern(root: Path) -> None:
    model(root / "ab" / "3")
    assert not FolderSource(root).find({KEY: "a*"}).models
    model(root / "a[b]" / "4")
    assert FolderSource(root).find({KEY: "a[b]"}).models[KEY].place == "a[b]/4"


@pytest.mark.parametrize("where", ["model", "above"])
def test_a_link_out_of_the_folder_is_not_followed(root: Path, tmp_path: Path, where: str) -> None:
    outside = model(tmp_path / "outside" / "2").parent
    link, target = (root / "m", outside / "2") if where == "model" else (root / "m", outside)
    link.symlink_to(target)
    with pytest.raises(BadInput, match=r"is a link to .*outside") as caught:
        fetched(root, "m", tmp_path / "copy")
    assert caught.value.fix
    assert not (tmp_path / "copy").exists()


def test_a_link_from_one_folder_of_the_root_to_another_is_no_harm(root: Path, tmp_path: Path) -> None:
    model(root / "real" / "7")
    (root / "alias").symlink_to("real")
    assert (fetched(root, "alias", tmp_path / "copy") / "data" / "weights").read_bytes() == b"1"


def test_the_root_itself_may_be_reached_by_a_link(root: Path, tmp_path: Path) -> None:
    model(root / "m")
    (tmp_path / "current").symlink_to(root)
    assert (fetched(tmp_path / "current", "m", tmp_path / "copy") / "MLmodel").is_file()


@pytest.mark.parametrize("path", ["link", "link/inner", "%2e%2e/outside", "../outside", "a%2fb"])
def test_an_index_entry_that_leaves_the_folder_is_named_with_its_line(
    root: Path, tmp_path: Path, path: str
) -> None:
    model(tmp_path / "outside")
    model(tmp_path / "outside" / "inner")
    (root / "link").symlink_to(tmp_path / "outside")
    (root / "models.yaml").write_text(f"models:\n  P1/C1: {{path: '{path}'}}\n")
    with pytest.raises(NotAdopted) as caught:
        FolderSource(root).find({KEY: "m"})
    (complaint,) = caught.value.complaints
    assert complaint.line == 2
    assert "outside of" in complaint.what or "is not a folder below" in complaint.what


def test_an_index_that_is_elsewhere_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "theirs.yaml").write_text("models: {}\n")
    (root / "models.yaml").symlink_to(tmp_path / "theirs.yaml")
    with pytest.raises(BadInput, match="outside of"):
        FolderSource(root).find({})


def test_a_hard_link_to_a_file_outside_is_refused(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    (tmp_path / "private").write_text("hush")
    os.link(tmp_path / "private", folder / "data" / "notes")
    with pytest.raises(
        BadInput, match=r"notes is a hard link: the same file has 1 more name outside"
    ) as caught:
        plain_copy(folder, tmp_path / "copy")
    assert "cp -R" in caught.value.fix
    assert not (tmp_path / "copy").exists()


def test_hard_links_within_a_model_are_copied_as_files_of_their_own(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    os.link(folder / "data" / "weights", folder / "same")
    plain_copy(folder, tmp_path / "copy")
    assert (tmp_path / "copy" / "same").read_bytes() == b"1"
    assert (tmp_path / "copy" / "same").stat().st_nlink == 1


@pytest.mark.parametrize("kind", ["fifo", "link", "link to a folder", "dangling link"])
def test_what_is_no_plain_file_is_refused(tmp_path: Path, kind: str) -> None:
    folder = model(tmp_path / "m")
    odd = folder / "data" / "odd"
    if kind == "fifo":
        os.mkfifo(odd)
    else:
        odd.symlink_to({"link": "weights", "link to a folder": "..", "dangling link": "gone"}[kind])
    with pytest.raises(BadInput, match="odd is "):
        plain_copy(folder, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_an_empty_folder_of_a_model_is_left_behind(tmp_path: Path) -> None:
    """An artifact holds files and nothing else, so it would be refused when it is kept."""
    (tmp_path / "model" / "empty" / "inner").mkdir(parents=True)
    (tmp_path / "model" / "MLmodel").write_text("flavors: {}\n")
    plain_copy(tmp_path / "model", tmp_path / "copy")
    assert [path.name for path in (tmp_path / "copy").rglob("*")] == ["MLmodel"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_that_cannot_be_listed_is_no_empty_one(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    (folder / "data").chmod(0)
    try:
        with pytest.raises(Unavailable):
            plain_copy(folder, tmp_path / "copy")
    finally:
        (folder / "data").chmod(0o700)
