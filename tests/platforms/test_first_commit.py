"""The first commit of a new fleet: real git, whatever its user has configured."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from fleetcast.domain.commit import Writer
from fleetcast.domain.errors import Unavailable
from fleetcast.domain.new_repository import FirstCommit, GitMissing, InRepository
from fleetcast.platforms.git.first_commit import begin_repository

FILES = (Path("fleetcast.yaml"), Path("config/circuits.yaml"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of a user who has told git nothing yet."""
    for name in [name for name in os.environ if name.startswith("GIT_") or name == "EMAIL"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "fleet"
    for file in FILES:
        (made / file).parent.mkdir(parents=True, exist_ok=True)
        (made / file).write_text("a: 1\n", encoding="utf-8")
    (made / "log.csv").write_text("mine", encoding="utf-8")
    return made


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_files_are_the_first_commit_and_nothing_else_is(home: Path, folder: Path) -> None:
    (home / ".gitconfig").write_text("[user]\nname = Ada\nemail = ada@plant.example\n")
    assert begin_repository(folder, FILES) == FirstCommit(Writer("Ada", "ada@plant.example"), is_guess=False)
    assert git(folder, "ls-files").splitlines() == ["config/circuits.yaml", "fleetcast.yaml"]
    assert git(folder, "log", "--format=%an %ae %D") == "Ada ada@plant.example HEAD -> main"


@pytest.mark.usefixtures("home")
def test_without_an_identity_it_is_the_machines_user(folder: Path) -> None:
    made = begin_repository(folder, FILES)
    assert isinstance(made, FirstCommit)
    assert made.is_guess
    assert made.by.email.endswith(f"@{os.uname().nodename}")
    assert git(folder, "log", "--format=%an <%ae>") == str(made.by)
    assert "user.name" not in git(folder, "config", "--list")


def test_what_people_configure_for_their_own_commits_is_not_in_its_way(home: Path, folder: Path) -> None:
    hooks = home / "template" / "hooks"
    hooks.mkdir(parents=True)
    for name in ("pre-commit", "commit-msg", "prepare-commit-msg", "post-commit"):
        (hooks / name).write_text("#!/bin/sh\necho no >&2\nexit 1\n")
        (hooks / name).chmod(0o755)
    (home / "ignored").write_text("*.yaml\n")
    (home / ".gitconfig").write_text(
        f"[user]\nuseConfigOnly = true\n[commit]\ngpgsign = true\n[gpg]\nprogram = false\n"
        f"[init]\ntemplateDir = {home / 'template'}\ndefaultBranch = trunk\n"
        f"[core]\nhooksPath = {hooks}\nexcludesFile = {home / 'ignored'}\nautocrlf = true\nsafecrlf = true\n"
    )
    assert isinstance(begin_repository(folder, FILES), FirstCommit)
    assert git(folder, "branch", "--show-current") == "main"
    assert git(folder, "ls-files").splitlines() == ["config/circuits.yaml", "fleetcast.yaml"]


@pytest.mark.usefixtures("home")
def test_inside_of_a_repository_nothing_is_made_but_where_it_ignores_the_folder(folder: Path) -> None:
    git(folder.parent, "init", "-q")
    assert begin_repository(folder, FILES) == InRepository()
    assert not (folder / ".git").exists()
    assert git(folder.parent, "status", "--porcelain", "-uno") == ""
    (folder.parent / ".gitignore").write_text("/fleet/\n")
    assert isinstance(begin_repository(folder, FILES), FirstCommit)


@pytest.mark.usefixtures("home")
def test_a_machine_without_git_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    assert begin_repository(folder, FILES) == GitMissing()


def test_what_git_refuses_is_passed_on(home: Path, folder: Path) -> None:
    (home / ".gitconfig").write_text("[user\n")
    with pytest.raises(Unavailable, match="the fleet is written, but `git init` refused") as refused:
        begin_repository(folder, FILES)
    assert "--no-git" in (refused.value.fix or "")


@pytest.mark.usefixtures("home")
def test_where_a_hook_of_another_repository_runs_the_new_one_is_still_its_own(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = folder.parent / "other"
    other.mkdir()
    git(other, "init", "-q")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    assert isinstance(begin_repository(folder, FILES), FirstCommit)
    monkeypatch.undo()
    assert git(folder, "ls-files").splitlines() == ["config/circuits.yaml", "fleetcast.yaml"]
    assert git(other, "ls-files") == ""
