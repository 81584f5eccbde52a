"""The artifact store and the frozen rows: bytes come back as they were, or not at all."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey
from fleetcast.platforms.files.artifact_store import FileArtifactStore
from fleetcast.platforms.files.frozen_rows import FileFrozenRows
from fleetcast.ports.artifacts import ArtifactMissing
from fleetcast.ports.platform import Platform
from fleetcast.ports.readings import Readings
from fleetcast.stored.plain_folder import plain_files
from tests.contracts.samples import KEY, digest, readings


def model_folder(tmp_path: Path, name: str = "model", *, weights: bytes = b"weights") -> Path:
    folder = tmp_path / name
    (folder / "data").mkdir(parents=True)
    (folder / "MLmodel").write_text("flavors: {}\n")
    (folder / "data" / "weights.bin").write_bytes(weights)
    return folder


def test_an_artifact_comes_back_as_it_was(platform: Platform, tmp_path: Path) -> None:
    name = platform.workspace.artifacts.keep(model_folder(tmp_path))
    folder = platform.workspace.artifacts.folder(name)
    assert (folder / "MLmodel").read_text() == "flavors: {}\n"
    assert (folder / "data" / "weights.bin").read_bytes() == b"weights"


def test_the_same_bytes_get_the_same_name(platform: Platform, tmp_path: Path) -> None:
    first = platform.workspace.artifacts.keep(model_folder(tmp_path, "one"))
    second = platform.workspace.artifacts.keep(model_folder(tmp_path, "two"))
    other = platform.workspace.artifacts.keep(model_folder(tmp_path, "three", weights=b"other"))
    assert first == second != other
    platform.workspace.artifacts.folder(first)


def test_a_file_of_another_name_makes_another_artifact(platform: Platform, tmp_path: Path) -> None:
    first = platform.workspace.artifacts.keep(model_folder(tmp_path, "one"))
    renamed = model_folder(tmp_path, "two")
    (renamed / "data" / "weights.bin").rename(renamed / "data" / "weights.safetensors")
    assert platform.workspace.artifacts.keep(renamed) != first


def test_what_was_never_kept_is_missing(platform: Platform) -> None:
    with pytest.raises(ArtifactMissing, match="is not in"):
        platform.workspace.artifacts.folder(digest("never kept"))


@pytest.mark.parametrize("damage", ["changed", "added", "gone"])
def test_a_damaged_artifact_is_never_given(platform: Platform, tmp_path: Path, damage: str) -> None:
    name = platform.workspace.artifacts.keep(model_folder(tmp_path))
    weights = platform.workspace.artifacts.folder(name) / "data" / "weights.bin"
    if damage == "changed":
        weights.write_bytes(b"weightz")
    elif damage == "added":
        weights.with_name("more.bin").write_bytes(b"")
    else:
        weights.unlink()
    try:
        folder = platform.workspace.artifacts.folder(name)
    except ArtifactMissing as error:
        assert "damaged" in str(error)  # noqa: PT017  # a store that has another copy gives that one instead
        return
    kept = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert kept == {"MLmodel": b"flavors: {}\n", "weights.bin": b"weights"}


def test_keeping_an_artifact_again_heals_a_damaged_one(platform: Platform, tmp_path: Path) -> None:
    name = platform.workspace.artifacts.keep(model_folder(tmp_path, "one"))
    (platform.workspace.artifacts.folder(name) / "MLmodel").write_text("scribble")
    assert platform.workspace.artifacts.keep(model_folder(tmp_path, "two")) == name
    assert (platform.workspace.artifacts.folder(name) / "MLmodel").read_text() == "flavors: {}\n"


@pytest.mark.parametrize("intruder", ["link to a file", "link to a folder", "FIFO", "empty folder"])
def test_anything_but_plain_files_is_refused_when_it_is_to_be_kept(
    platform: Platform, tmp_path: Path, intruder: str
) -> None:
    folder = model_folder(tmp_path)
    place(folder / "data" / "intruder", intruder, tmp_path)
    with pytest.raises(BadInput, match=r"intruder is (a symbolic link|no plain file|an empty folder)"):
        platform.workspace.artifacts.keep(folder)
    assert (folder / "MLmodel").is_file(), "what was refused is left where it is"


@pytest.mark.parametrize("intruder", ["link to a file", "link to a folder", "FIFO", "empty folder"])
def test_an_artifact_that_got_anything_but_plain_files_is_never_given(tmp_path: Path, intruder: str) -> None:
    store = FileArtifactStore(tmp_path / "store")
    name = store.keep(model_folder(tmp_path))
    place(store.folder(name) / "data" / "intruder", intruder, tmp_path)
    for ask in (store.folder, store.load, partial(store.copy, target=tmp_path / "copy")):
        with pytest.raises(ArtifactMissing, match="damaged"):
            ask(name)


@pytest.mark.parametrize("part", ["data/weights.bin", "data", ""])
def test_a_link_to_the_same_content_is_not_the_artifact(tmp_path: Path, part: str) -> None:
    """Whoever holds the other end could change what is loaded after it was checked."""
    store = FileArtifactStore(tmp_path / "store")
    name = store.keep(model_folder(tmp_path))
    inside = store.folder(name) / part
    inside.rename(tmp_path / "elsewhere")
    inside.symlink_to(tmp_path / "elsewhere")
    for ask in (store.folder, store.load, partial(store.copy, target=tmp_path / "copy")):
        with pytest.raises(ArtifactMissing, match="damaged"):
            ask(name)


def test_what_is_kept_is_a_copy_that_no_other_name_reaches(tmp_path: Path) -> None:
    store, folder = FileArtifactStore(tmp_path / "store"), model_folder(tmp_path)
    outside = tmp_path / "outside.bin"
    outside.hardlink_to(folder / "data" / "weights.bin")
    name = store.keep(folder)
    outside.write_bytes(b"swapped!")
    assert store.load(name).content["data/weights.bin"] == b"weights"


def test_what_was_loaded_is_what_was_hashed_whatever_happens_to_the_files(tmp_path: Path) -> None:
    store = FileArtifactStore(tmp_path / "store")
    name = store.keep(model_folder(tmp_path))
    files = store.load(name)
    store.copy(name, tmp_path / "copy")
    (store.folder(name) / "data" / "weights.bin").write_bytes(b"swapped!")
    assert (
        files.content["data/weights.bin"] == (tmp_path / "copy/data/weights.bin").read_bytes() == b"weights"
    )
    assert files.digest == name


def test_a_file_that_is_swapped_for_a_link_while_it_is_read_is_refused(tmp_path: Path) -> None:
    folder = model_folder(tmp_path)
    (tmp_path / "secret").write_bytes(b"secret")
    reading = plain_files(folder)
    assert next(reading)[0] == "MLmodel"
    weights = folder / "data" / "weights.bin"
    weights.unlink()
    weights.symlink_to(tmp_path / "secret")
    with pytest.raises(BadInput, match="symbolic link"):
        list(reading)


def test_what_is_lacking_shows_without_reading(platform: Platform, tmp_path: Path) -> None:
    whole = platform.workspace.artifacts.keep(model_folder(tmp_path))
    size = len(b"flavors: {}\n") + len(b"weights")
    absent = digest("never kept")
    assert set(platform.workspace.artifacts.lacking({whole: size, absent: 7})) == {absent}


@pytest.mark.parametrize("damage", ["cut", "grown", "gone"])
def test_a_wrong_size_shows_without_reading(tmp_path: Path, damage: str) -> None:
    store = FileArtifactStore(tmp_path / "store")
    name = store.keep(model_folder(tmp_path))
    weights = store.folder(name) / "data" / "weights.bin"
    if damage == "gone":
        shutil.rmtree(store.folder(name))
    else:
        weights.write_bytes(b"w" * (3 if damage == "cut" else 30))
    said = store.lacking({name: len(b"flavors: {}\n") + len(b"weights")})
    assert ("gone" if damage == "gone" else "bytes instead of 19") in said[name]


def place(path: Path, kind: str, outside: Path) -> None:
    """Put something in a model's folder that is no plain file."""
    (outside / "outside").mkdir(exist_ok=True)
    (outside / "outside" / "file").write_bytes(b"elsewhere")
    if kind == "FIFO":
        os.mkfifo(path)
    elif kind == "empty folder":
        path.mkdir()
    else:
        path.symlink_to(outside / "outside" / ("file" if kind == "link to a file" else ""))


def test_frozen_rows_that_are_not_what_they_were_are_never_given(tmp_path: Path) -> None:
    frozen, rows = FileFrozenRows(tmp_path), readings()
    other = replace(rows, values=rows.values + 1.0)
    for some in (rows, other):
        frozen.freeze(some, some.fingerprint())
    frozen.file(other.fingerprint()).replace(frozen.file(rows.fingerprint()))
    with pytest.raises(BadInput, match="not those that were frozen") as caught:
        frozen.load(rows.fingerprint(), KEY)
    assert "delete that file" in caught.value.fix


def test_frozen_rows_come_back_bit_for_bit(platform: Platform) -> None:
    rows = readings()
    fingerprint = rows.fingerprint()
    assert not platform.workspace.frozen.holds(fingerprint)
    platform.workspace.frozen.freeze(rows, fingerprint)
    platform.workspace.frozen.freeze(rows, fingerprint)
    assert platform.workspace.frozen.holds(fingerprint)
    back = platform.workspace.frozen.load(fingerprint, KEY)
    assert back.fingerprint() == fingerprint
    assert back.sensors == rows.sensors
    np.testing.assert_array_equal(back.times, rows.times)
    np.testing.assert_array_equal(back.values, rows.values)


def test_a_circuit_without_rows_can_be_frozen(platform: Platform) -> None:
    nothing = Readings(KEY, ("t",), frozenset({"t"}), np.empty(0, np.int64), np.empty((0, 1)))
    platform.workspace.frozen.freeze(nothing, nothing.fingerprint())
    back = platform.workspace.frozen.load(nothing.fingerprint(), KEY)
    assert back.values.shape == (0, 1)
    assert back.fingerprint() == nothing.fingerprint()


def test_equal_rows_of_two_circuits_are_given_as_the_rows_of_the_one_asked_for(platform: Platform) -> None:
    other = CircuitKey("PLANT002", "CIRCUIT01")
    rows = readings()
    platform.workspace.frozen.freeze(rows, rows.fingerprint())
    assert platform.workspace.frozen.load(rows.fingerprint(), other).key == other


def test_rows_that_were_never_frozen_cannot_be_loaded(platform: Platform) -> None:
    with pytest.raises(BadInput, match=str(KEY)):
        platform.workspace.frozen.load(digest("never frozen"), KEY)


def test_a_removed_artifact_is_missing_and_removing_it_again_is_nothing(
    platform: Platform, tmp_path: Path
) -> None:
    store = platform.workspace.artifacts
    gone = store.keep(model_folder(tmp_path, "one"))
    stays = store.keep(model_folder(tmp_path, "two", weights=b"other"))
    for _ in range(2):
        store.remove([gone, digest("never kept")])
        assert set(store.lacking({gone: None, stays: None})) == {gone}
    with pytest.raises(ArtifactMissing, match="is not in"):
        store.load(gone)
    assert store.load(stays).digest == stays
    assert store.keep(model_folder(tmp_path, "again")) == gone
    assert store.load(gone).digest == gone


def test_what_was_cut_short_while_it_was_removed_is_finished(tmp_path: Path) -> None:
    store = FileArtifactStore(tmp_path / "store")
    name = store.keep(model_folder(tmp_path))
    folder = store.folder(name)
    folder.rename(folder.with_name(f"going-{name.hex}"))  # as far as a process came that was killed
    assert set(store.lacking({name: None})) == {name}
    store.remove([name])
    assert list(folder.parent.iterdir()) == []


def test_removed_rows_are_kept_no_more(platform: Platform) -> None:
    gone, stays = readings(seed=1), readings(seed=2)
    frozen = platform.workspace.frozen
    for rows in (gone, stays):
        frozen.freeze(rows, rows.fingerprint())
    for _ in range(2):
        frozen.remove([gone.fingerprint()])
        assert [frozen.holds(rows.fingerprint()) for rows in (gone, stays)] == [False, True]
