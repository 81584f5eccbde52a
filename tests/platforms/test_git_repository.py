from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from fleetcast.domain.commit import Writer
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey
from fleetcast.platforms.git.repository import UNCOMMITTED, commit_of, export, files_since
from fleetcast.platforms.git.writers import GitWriters


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


# Who wrote it


def commit_as(folder: Path, author: str, committer: str, content: str, file: str = "fleetcast.yaml") -> None:
    """Commit a file, as an author and a committer of whom each is `NAME EMAIL`."""
    (folder / file).write_text(content)
    git(folder, "add", ".")
    (name, mail), (their_name, their_mail) = author.rsplit(" ", 1), committer.rsplit(" ", 1)
    subprocess.run(
        ["git", "commit", "-q", "-m", content],
        cwd=folder,
        check=True,
        env={
            **os.environ,
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": mail,
            "GIT_COMMITTER_NAME": their_name,
            "GIT_COMMITTER_EMAIL": their_mail,
        },
    )


A, ANNA, BOT = Writer("A", "a@example.org"), Writer("Anna Berg", "anna@example.org"), Writer("Bot", "b@c.org")
PLANT = CircuitKey("P1", "C1")


def head(folder: Path) -> str:
    return commit_of(folder, FILES)


def writers(folder: Path) -> GitWriters:
    return GitWriters(
        folder,
        head(folder),
        settings="fleetcast.yaml",
        environment="environment.yaml",
        circuit=lambda _: ("circuits.yaml", "fleetcast.yaml"),
    )


def test_author_and_committer_of_the_commit_that_last_changed_a_file_wrote_it(checkout: Path) -> None:
    assert writers(checkout).of_settings() == (A,)
    commit_as(checkout, "Anna Berg anna@example.org", "Bot b@c.org", "format: 2\n")
    commit_as(checkout, "A a@example.org", "A a@example.org", "x: 1\n", "circuits.yaml")
    found = writers(checkout)
    assert found.of_settings() == (ANNA, BOT)
    assert found.of_circuit(PLANT) == (A, ANNA, BOT)
    assert found.of_environment() == ()


def test_what_is_not_committed_was_written_by_nobody_known(checkout: Path, tmp_path: Path) -> None:
    (checkout / "fleetcast.yaml").write_text("format: 3\n")
    assert writers(checkout).of_settings() == ()
    assert writers(tmp_path).of_settings() == ()
    git(checkout, "checkout", "-q", "fleetcast.yaml")
    (checkout / "circuits.yaml").write_text("x: 1\n")
    assert writers(checkout).of_settings() == (A,)
    assert writers(checkout).of_circuit(PLANT) == ()


def test_of_a_merge_those_of_both_sides_wrote_it_and_of_a_side_not_taken_nobody(checkout: Path) -> None:
    text = "a: 1\n" + "\n" * 9 + "b: 1\n"
    commit_as(checkout, "A a@example.org", "A a@example.org", text)
    git(checkout, "checkout", "-q", "-b", "side")
    commit_as(checkout, "Anna Berg anna@example.org", "Bot b@c.org", text.replace("a: 1", "a: 2"))
    git(checkout, "checkout", "-q", "main")
    commit_as(checkout, "C c@c.org", "C c@c.org", text.replace("b: 1", "b: 2"))
    identity = ("-c", "user.name=M", "-c", "user.email=m@m.org")
    git(checkout, *identity, "merge", "-q", "--no-edit", "side")
    assert set(writers(checkout).of_settings()) == {ANNA, BOT, Writer("C", "c@c.org"), Writer("M", "m@m.org")}
    git(checkout, "checkout", "-q", "-b", "other", "HEAD^1")
    git(checkout, *identity, "merge", "-q", "--no-edit", "-s", "ours", "side")
    assert writers(checkout).of_settings() == (Writer("C", "c@c.org"),)


def test_a_history_that_was_cut_off_blames_nobody(checkout: Path, tmp_path: Path) -> None:
    commit_as(checkout, "Anna Berg anna@example.org", "Bot b@c.org", "x: 1\n", "circuits.yaml")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{checkout}", "shallow")
    shallow = tmp_path / "shallow"
    assert commit_of(shallow, FILES) == commit_of(checkout, FILES)
    assert writers(shallow).of_settings() == ()
    git(shallow, "fetch", "-q", "--unshallow")
    assert writers(shallow).of_settings() == (A,)


def test_neither_a_map_of_names_nor_settings_of_git_change_who_wrote_it(checkout: Path) -> None:
    mapped = "Anna Berg <anna@example.org> A <a@example.org>\n"
    commit_as(checkout, "Bot b@c.org", "Bot b@c.org", mapped, ".mailmap")
    for setting in ("log.mailmap", "log.follow", "log.showSignature"):
        git(checkout, "config", setting, "true")
    assert writers(checkout).of_settings() == (A,)


def test_names_that_cannot_be_shown_are_kept_as_ones_that_can(checkout: Path) -> None:
    commit_as(checkout, "A\x1b[31m\x7f" + "b" * 300 + " a@c.org", "Bot b@c.org", "format: 2\n")
    (author, bot) = writers(checkout).of_settings()
    assert bot == BOT
    assert author.name.isprintable()
    assert len(author.name) == 200
