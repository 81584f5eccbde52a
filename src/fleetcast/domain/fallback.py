"""What takes the place of a forecast that cannot be used: there is always one, and it says what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from fleetcast.domain.errors import BadInput


class Source(StrEnum):
    """Where a forecast comes from, the best first."""

    MODEL = "model"
    PREVIOUS_MODEL = "previous model"
    SEASONAL_NAIVE = "seasonal naive"
    LAST_VALUE = "last good value"


class Unused(StrEnum):
    """Why a source gave no forecast that can be used. Readers of published rows depend on these words."""

    ABSENT = "absent"
    """There is none: no earlier version, no reading of a season before."""
    DAMAGED = "damaged"
    """Its files are not those that were approved."""
    UNREACHABLE = "unreachable"
    """What keeps it does not answer."""
    BROKE = "broke"
    """It failed, took too long or too much memory."""
    TOO_LITTLE_HISTORY = "too little history"
    NOT_FINITE = "not finite"
    WRONG_LENGTH = "wrong length"
    OUTSIDE_LIMITS = "outside physical limits"
    CONSTANT = "constant"
    OFF_SCALE = "off scale"
    BLOCKED = "blocked"
    """It was rolled back."""
    HELD = "held"
    """Somebody wants another source for a time."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Which sources are asked, in turn, until one gives a forecast that can be used."""

    sources: tuple[Source, ...] = tuple(Source)

    def __post_init__(self) -> None:
        order = [list(Source).index(source) for source in self.sources]
        if order != sorted(set(order)) or self.sources[-1:] != (Source.LAST_VALUE,):
            raise BadInput(
                f"a chain of {', '.join(self.sources) or 'nothing'}",
                fix="name each source once, the best first, and end with `last good value`: a forecast is never empty",
            )


@dataclass(frozen=True, slots=True)
class Tried:
    """One source that was asked in vain."""

    source: Source
    why: Unused


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a published forecast comes from."""

    source: Source
    tried: tuple[Tried, ...] = ()
    """What was asked before it, in that order."""

    @property
    def code(self) -> str:
        """What stands on each of its rows: empty for the model's own, else why that and what followed was not used."""
        return "; ".join(f"{one.source}: {one.why}" for one in self.tried)


def first_reason(code: str) -> Unused | None:
    """Why the model itself was not used, by the code that stands on a row; None: it was."""
    return Unused(code.partition("; ")[0].partition(": ")[2]) if code else None


def used(chain: Chain, tried: Sequence[Tried]) -> Origin:
    """The origin of a forecast that the first source gave that was not tried in vain.

    Raises:
        BadInput: None is left, or they were not asked in turn.
    """
    failed = tuple(one.source for one in tried)
    if failed != chain.sources[: len(failed)] or len(failed) == len(chain.sources):
        raise BadInput(f"after {', '.join(failed) or 'nothing'} the chain has no source")
    return Origin(chain.sources[len(failed)], tuple(tried))
