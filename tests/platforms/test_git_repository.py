from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.platforms.git.repository import UNCOMMITTED, commit_of, export, files_since


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with one commit of one file; no git settings of this machine count."""
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, "/dev/null")
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "fleetcast.yaml").write_text("format: 1\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    commit(folder, "first")
    return folder


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True)


FILES = ("fleetcast.yaml",)


def commit(folder: Path, message: str) -> None:
    git(folder, "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-q", "-m", message)


def test_outside_of_a_checkout_and_before_the_first_commit_nothing_is_committed(tmp_path: Path) -> None:
    assert commit_of(tmp_path, ()) == UNCOMMITTED
    git(tmp_path, "init", "-q")
    assert commit_of(tmp_path, ()) == UNCOMMITTED


def test_a_checkout_says_its_commit_and_whether_files_differ(checkout: Path) -> None:
    clean = commit_of(checkout, FILES)
    assert len(clean) == 40
    (checkout / "fleetcast.yaml").write_text("format: 2\n")
    assert commit_of(checkout, FILES) == f"{clean}+changes"


def test_a_checkout_of_another_user_is_no_fleet_without_a_commit(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    for asked in (
        lambda: commit_of(checkout, FILES),
        lambda: files_since(checkout, "main"),
        lambda: export(checkout, "main", tmp_path / "before"),
    ):
        with pytest.raises(BadInput, match="dubious ownership") as caught:
            asked()
        assert f"git config --global --add safe.directory {checkout}" in caught.value.fix


def test_a_checkout_whose_index_is_damaged_is_not_taken_for_clean(checkout: Path) -> None:
    (checkout / ".git" / "index").write_bytes(b"DIRC")
    with pytest.raises(BadInput, match="index file"):
        commit_of(checkout, FILES)


@pytest.mark.parametrize("head", ["", "\0\0\0\0", "gitdir"])
def test_a_checkout_that_git_does_not_recognise_is_not_taken_for_none(checkout: Path, head: str) -> None:
    (checkout / ".git" / "HEAD").write_text(head)
    with pytest.raises(BadInput, match="not a git repository"):
        commit_of(checkout, FILES)


def test_a_work_tree_whose_repository_is_gone_is_refused(checkout: Path, tmp_path: Path) -> None:
    git(checkout, "worktree", "add", "-q", str(tmp_path / "second"))
    checkout.rename(tmp_path / "moved")
    with pytest.raises(BadInput, match="not a git repository"):
        commit_of(tmp_path / "second", FILES)


def test_without_the_command_git_a_checkout_is_refused_and_a_plain_folder_is_not(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit_of(tmp_path, ()) == UNCOMMITTED
    with pytest.raises(BadInput, match="git does not start"):
        commit_of(checkout, FILES)


def test_files_of_any_name_are_named_as_they_are(checkout: Path) -> None:
    (checkout / "süd 1.yaml").write_text("a: 1\n")
    git(checkout, "add", ".")
    assert files_since(checkout, "HEAD") == ("süd 1.yaml",)


def test_a_revision_that_is_not_there_is_named(checkout: Path) -> None:
    with pytest.raises(BadInput, match="no revision 'v9'"):
        files_since(checkout, "v9")
