"""What `init` has made, and what to type after it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from fleetcast.domain.new_repository import FirstCommit, GitMissing, InRepository, NewRepository, NotWanted

_STEPS = (
    ("fleetcast simulate", "or: fleetcast ingest FILE..."),
    ("fleetcast circuits add PLANT001/CIRCUIT02", ""),
    ("fleetcast validate", ""),
    ("fleetcast plan", ""),
    ("fleetcast train", ""),
)
_COLUMN = 22


def begun_as_text(directory: Path, files: Sequence[Path], repository: NewRepository) -> str:
    """The files, what became of git, and a numbered list of commands; each can be typed as it stands."""
    lines = [f"wrote {directory / file}" for file in files]
    return "\n".join([*lines, *_git(directory, repository), *_next(directory)])


def _git(directory: Path, repository: NewRepository) -> Iterator[str]:
    match repository:
        case FirstCommit(by, is_guess):
            yield f"made a git repository; its first commit is by {by.name} <{by.email}>"
            if is_guess:
                yield "  git does not know who you are; to tell it:"
                yield '  git config --global user.name "YOUR NAME"'
                yield "  git config --global user.email YOU@EXAMPLE.ORG"
        case InRepository():
            there = "" if directory == Path() else f" -C {shlex.quote(str(directory))}"
            yield "this folder is in a git repository already; to commit the files:"
            yield f'  git{there} add . && git{there} commit -m "A new fleet"'
        case GitMissing():
            yield "no git repository: git is not installed; models will say"
            yield "  that their fleet is uncommitted, until you make one"
        case NotWanted():
            yield "no git repository: --no-git"


def _next(directory: Path) -> Iterator[str]:
    yield "next:"
    go = () if directory == Path() else ((f"cd {shlex.quote(str(directory))}", ""),)
    for number, (typed, remark) in enumerate((*go, *_STEPS), start=1):
        yield f"  {number}. {typed:<{_COLUMN}}# {remark}" if remark else f"  {number}. {typed}"
