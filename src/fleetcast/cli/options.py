"""Options that several commands share, so that each means and says the same everywhere."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fleetcast.domain.duration import parse_date, parse_instant


class View(StrEnum):
    """For people, or for programs."""

    TEXT = "text"
    JSON = "json"


FleetOption = Annotated[Path, typer.Option("--fleet", help="Folder of the fleet repository.")]
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


def moment(text: str) -> datetime:
    """The moment that an option names; a date is the beginning of its day in UTC.

    Raises:
        BadInput: It is neither a date nor an instant with its offset.
    """
    day = parse_date(text)
    return parse_instant(text) if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC)
