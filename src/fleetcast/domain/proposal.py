"""Which circuits would gain by a retrain, and what is to be declared for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fleetcast.domain.circuit import Cutoff
from fleetcast.domain.identity import CircuitKey


@dataclass(frozen=True, slots=True)
class GainMeasured:
    """How a model trained a little earlier than now would have fared, next to the one in use."""

    model: str
    """`NAME:VERSION` that it was held against."""
    trained_before: datetime
    """Aware UTC: the retrained model saw no reading from then on."""
    origins: int
    """Moments that both forecast from, at least 1."""
    ratio: float
    """Its mean absolute error over that of the model in use, the mean over sensors; below 1 is better."""

    @property
    def share(self) -> float:
        """The error that a retrain is expected to save, as a share of what it is now; negative: it would add."""
        return 1 - self.ratio


@dataclass(frozen=True, slots=True)
class GainUnknown:
    """It could not be measured; that is no reason for a retrain and none against it."""

    why: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """One circuit with the training data that it could have."""

    key: CircuitKey
    cutoff_before: Cutoff
    cutoff: Cutoff
    version_before: int
    """Of the table of readings."""
    version: int
    gain: GainMeasured | GainUnknown

    @property
    def differs(self) -> bool:
        """Whether declaring it would change anything."""
        return (self.cutoff_before, self.version_before) != (self.cutoff, self.version)

    def worth(self, at_least: float) -> bool:
        """Whether a retrain is expected to save so large a share of the error."""
        return self.differs and isinstance(self.gain, GainMeasured) and self.gain.share >= at_least


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed, and what was looked at and is not."""

    proposed: tuple[Candidate, ...]
    """The largest gain first."""
    left: tuple[Candidate, ...]
    """Of these no gain is expected, or none could be measured; by circuit."""

    @classmethod
    def of(cls, candidates: Sequence[Candidate], at_least: float) -> Proposal:
        """Propose what is expected to save a share of the error; what could not be measured is left to people."""
        worth = [candidate for candidate in candidates if candidate.worth(at_least)]
        return cls(
            tuple(sorted(worth, key=lambda candidate: (-_share(candidate), candidate.key))),
            tuple(
                sorted(
                    (candidate for candidate in candidates if candidate not in worth),
                    key=lambda candidate: candidate.key,
                )
            ),
        )


def _share(candidate: Candidate) -> float:
    return candidate.gain.share if isinstance(candidate.gain, GainMeasured) else 0.0
