"""The git repository of a new fleet, and its first commit, whatever the user's own configuration of git asks for."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Sequence
from pathlib import Path

from fleetcast.domain.commit import Writer
from fleetcast.domain.errors import Unavailable
from fleetcast.domain.new_repository import FirstCommit, GitMissing, InRepository, NewRepository

_BRANCH = "main"
_MESSAGE = "A new fleet, as fleetcast init writes it"
_AS_IT_IS = (
    *("-c", "commit.gpgsign=false"),
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.safecrlf=false"),
    *("-c", "core.fsmonitor=false"),
)
"""Signing and hooks are for commits that people make."""
_OF_ANOTHER = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_COMMON_DIR",
    "GIT_PREFIX",
)
"""What git says to the hooks of a repository, and would take for this one's."""


def begin_repository(directory: Path, files: Sequence[Path]) -> NewRepository:
    """Make a git repository of a folder, with some of its files as the first commit; nothing inside of another one.

    Args:
        directory: The folder.
        files: Relative to it; whatever else is there is left out.

    Raises:
        Unavailable: Git did not do it; the files are as they were.
    """
    try:
        _git(directory, "--version")
    except FileNotFoundError:
        return GitMissing()
    if _is_in_repository(directory):
        return InRepository()
    _must(directory, "init", "--quiet")
    # An older git has no option for it, and what the user prefers leads to no environment.
    _must(directory, "symbolic-ref", "HEAD", f"refs/heads/{_BRANCH}")
    _must(directory, "add", "--force", "--", *map(str, files))
    known = _known_writer(directory)
    by = known or _machines_user()
    who = () if known else ("-c", f"user.name={by.name}", "-c", f"user.email={by.email}")
    _must(directory, *who, "commit", "--quiet", "--no-verify", "--message", _MESSAGE)
    return FirstCommit(by, is_guess=known is None)


def _is_in_repository(directory: Path) -> bool:
    """Whether a folder belongs to a repository; one that the repository around it ignores does not."""
    done = _git(directory, "rev-parse", "--is-inside-work-tree")
    if done.returncode:  # there is none, or it is torn or somebody else's
        here = directory.resolve()
        return any((above / ".git").exists() for above in (here, *here.parents))
    return done.stdout.strip() == b"true" and _git(directory, "check-ignore", "--quiet", ".").returncode != 0


def _known_writer(directory: Path) -> Writer | None:
    """Who commits, as git was told; None: it was not."""
    said = _git(directory, "-c", "user.useConfigOnly=true", "var", "GIT_COMMITTER_IDENT")
    author = _git(directory, "-c", "user.useConfigOnly=true", "var", "GIT_AUTHOR_IDENT")
    if said.returncode or author.returncode:
        return None
    name, _, rest = said.stdout.decode(errors="replace").strip().partition(" <")
    return Writer(name, rest.partition(">")[0])


def _machines_user() -> Writer:
    """Who commits where git was not told, as git itself would guess."""
    number = os.getuid()
    try:
        entry = pwd.getpwuid(number)
    except KeyError:
        login, name = f"uid-{number}", ""
    else:
        login = entry.pw_name
        name = entry.pw_gecos.partition(",")[0].replace("&", login.capitalize()).strip()
    return Writer(name or login, f"{login}@{os.uname().nodename}")


def _must(directory: Path, *words: str) -> None:
    done = _git(directory, *_AS_IT_IS, *words)
    if done.returncode:
        answer = " ".join(done.stderr.decode(errors="replace").split())
        command = next(word for word in words if word in ("init", "symbolic-ref", "add", "commit"))
        raise Unavailable(
            f"the fleet is written, but `git {command}` refused in {directory}: {answer}",
            fix="mend that, then `git init`, `git add .` and `git commit` there; --no-git leaves git alone",
        )


def _git(directory: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    environment = {name: value for name, value in os.environ.items() if name not in _OF_ANOTHER}
    return subprocess.run(  # noqa: S603  # our own words
        ["git", *words],  # noqa: S607  # git is where the user has it
        cwd=directory,
        env={**environment, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
