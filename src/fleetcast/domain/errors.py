"""The one root of every error a person can fix.

An error's text says what is wrong, where, with the values; `fix` says what to do next. Each entry point
catches `FleetcastError` once and turns it into an exit code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fleetcast.domain.legible import legible
from fleetcast.domain.secrets import without_secrets
from fleetcast.domain.wording import counted


class FleetcastError(Exception):
    """Something a person can fix: what is wrong, and in `fix` what to do about it.

    Whatever address is named in the text, no password or token of it is kept: errors are shown everywhere.
    """

    fix: str = ""

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(without_secrets(message))
        if fix:
            self.fix = without_secrets(fix)


class BadInput(FleetcastError):
    """A file, an option or a value that cannot be taken as it is."""


class Unavailable(FleetcastError):
    """Something outside fleetcast does not answer or refuses: a disk, a database, a process."""


class HistoryLost(FleetcastError):
    """The control database does not hold any more what was written there."""

    def __init__(self, what: str, *, fix: str = "") -> None:
        super().__init__(
            f"the control database does not hold {what} any more: it was set back to an earlier state, "
            "or changed from outside"
        )
        self.fix = fix or "run it again: it looks at what is there, and does what is missing"


class NotVouched(FleetcastError):
    """Something in the control database that nobody who is trusted stands behind: it was changed from outside."""

    def __init__(self, entry: int, wrong: str) -> None:
        super().__init__(
            f"the audit log cannot be believed: the seal on entry {entry} {wrong}; nothing was changed"
        )
        self.fix = (
            "`fleetcast audit verify` says more. Where several people or agents share a database, give all the same "
            "FLEETCAST_SIGNING_KEY, or declare their keys below `signing.trusted` in fleetcast.yaml"
        )


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing wrong in a file: where, what, and how to fix it."""

    file: str
    line: int | None
    what: str
    fix: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "what", without_secrets(self.what))
        object.__setattr__(self, "fix", without_secrets(self.fix))

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return legible(f"{place}: {self.what}" + (f" ({self.fix})" if self.fix else ""))


class InvalidFleet(BadInput):
    """A fleet repository with mistakes; `complaints` holds all of them, in file and line order."""

    def __init__(self, complaints: Sequence[Complaint]) -> None:
        self.complaints = tuple(sorted(complaints, key=lambda c: (c.file, c.line or 0, c.what)))
        count = counted(len(self.complaints), "mistake")
        super().__init__(f"{count} in the fleet repository:\n" + "\n".join(f"  {c}" for c in self.complaints))
        self.fix = "fix the lines above, then run `fleetcast validate`"
