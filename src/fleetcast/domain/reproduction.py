"""Training a model version once more from what is on record of it, and what came of that."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fleetcast.domain.identity import Digest


class Obstacle(StrEnum):
    """Why the same bytes did not come of it, or none at all."""

    ADOPTED = "it was trained elsewhere, and adopted"
    JOB_GONE = "what its job was told is not on record any more"
    COMPONENT_CHANGED = "its component is not the one that the fleet declares"
    ROWS_GONE = "the rows that it was trained on are gone"
    FAILED = "training it again failed"
    FLEETCAST = "another version of fleetcast trained it"
    PYTHON = "another version of Python trained it"
    NUMBERS = "its numbers differ: other versions of the libraries trained it, or another kind of processor"


@dataclass(frozen=True, slots=True)
class Reproduction:
    """One model version, trained again."""

    model: str
    version: int
    registered: Digest
    """The artifact that was registered."""
    found: Digest | None
    """The artifact that came of it now; None where none did."""
    obstacle: Obstacle | None = None
    detail: str = ""
    """More about the obstacle, for people."""
    differing: tuple[str, ...] = ()
    """Files of the model that differ."""

    @property
    def identical(self) -> bool:
        """Whether the same bytes came of it."""
        return self.found == self.registered
