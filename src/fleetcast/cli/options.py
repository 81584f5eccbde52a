"""Options that several commands share, so that each means and says the same everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fleetcast.cli.usage_errors import WrongUsage
from fleetcast.domain.duration import believable, parse_date, parse_duration, parse_instant
from fleetcast.domain.errors import BadInput


class View(StrEnum):
    """For people, or for programs."""

    TEXT = "text"
    JSON = "json"


_FLEET = typer.Option(
    "--fleet",
    help="Folder of the fleet repository. Default: this one, or the nearest above that is one.",
    show_default=False,
)
FleetOption = Annotated[Path, _FLEET]
"""A command that says `Path()` for it is given the fleet that the person is in: see `InFleet`."""
FleetIfNeededOption = Annotated[Path | None, _FLEET]
"""For a command that can do without on some words: `fleet_needed` finds it on others."""
ViewOption = Annotated[View, typer.Option("--format", help="For people, or for programs.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show the change and write nothing.")]
PatternsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--circuits", metavar="PATTERN", help="Such as 'PLANT001/*'; may be repeated. Default: all."
    ),
]
WideOption = Annotated[
    bool, typer.Option("--wide", help="Show every column, each row in one line, however long.")
]
CommentOption = Annotated[str, typer.Option("--comment", "-m", help="Why; kept with the decision.")]
LockOption = Annotated[
    str | None,
    typer.Option("--lock-timeout", metavar="DURATION", help="Wait that long for another run: 10min, 1h."),
]

AwaitingOption = Annotated[
    bool,
    typer.Option(
        "--awaiting-ok",
        help="End with 0 in place of 3 while people decide: for the job of a CI pipeline that only asks.",
    ),
]


def duration_of(text: str) -> timedelta:
    """The length of time that an option names.

    Raises:
        WrongUsage: It is none.
    """
    with _typed():
        return parse_duration(text)


def moment(text: str) -> datetime:
    """The moment that an option names; a date is the beginning of its day in UTC.

    Raises:
        WrongUsage: It is neither a date nor an instant with its offset, or not within the years 1900 to 2199.
    """
    with _typed():
        day = parse_date(text)
        named = parse_instant(text) if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC)
        return believable(named, text)


def day_of(text: str) -> date:
    """The day that an option names.

    Raises:
        WrongUsage: It is none.
    """
    with _typed():
        found = parse_date(text)
    if found is None:
        raise WrongUsage(f"{text!r} is no date", fix="write it as in 2025-11-30")
    return found


def model_version(text: str) -> tuple[str, int]:
    """The model and the number in `MODEL:VERSION`.

    Raises:
        WrongUsage: It is not written so.
    """
    name, _, version = text.rpartition(":")
    if not name or not (version.isascii() and version.isdecimal()):
        raise WrongUsage(f"{text!r} names no version", fix="write it as MODEL:VERSION")
    return name, int(version)


@contextmanager
def _typed() -> Iterator[None]:
    """What cannot be read was typed wrongly."""
    try:
        yield
    except BadInput as error:
        raise WrongUsage(str(error), fix=error.fix) from error
