"""The last handler: what nobody foresaw ends as one line, and a report for whoever mends it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from fleetcast.domain.errors import FleetcastError, Unavailable
from fleetcast.domain.foreseen import foreseen
from fleetcast.stored.reports import Report, fleet_of, keep, variables_named_in

VERBOSE_VARIABLE = "FLEETCAST_VERBOSE"
"""With 1, the way that an error took through the program is shown too."""

_SEND = "look it through, and open an issue in the project's repository with it (README.md, Support)"


def told(error: BaseException, words: Sequence[str], directory: Path | None = None) -> FleetcastError:
    """What a person is told of an error that reached the end of the program; what nobody foresaw is reported.

    Args:
        error: As it was caught.
        words: Of the command line.
        directory: The fleet repository, where the words do not say it.
    """
    report = Report(error, words, datetime.now(UTC), directory or fleet_of(words))
    if os.environ.get(VERBOSE_VARIABLE) == "1":
        _say(report.traceback(os.environ, variables_named_in(report.fleet)))
    known = foreseen(error)
    if known is not None:
        return known
    what = f"something that fleetcast did not foresee: {report.kind} at {report.place}"
    path, why = keep(report, os.environ)
    if path is None:
        return Unavailable(
            f"{what}; no report could be written: {why}",
            fix=f"run it again with {VERBOSE_VARIABLE}=1, which shows what the report would say; {_SEND}",
        )
    return Unavailable(f"{what}; a report is in {path}", fix=_SEND)


def _say(text: str) -> None:
    """To standard error, where there is one."""
    if sys.stderr is None:
        return
    sys.stderr.write(text)
    sys.stderr.flush()
