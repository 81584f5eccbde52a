"""What the observations of one look at the whole fleet say together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from fleetcast.domain.alarm import Finding
from fleetcast.domain.drift import Observation


def judged(
    observations: Sequence[Observation], history: Sequence[Observation], now: datetime
) -> list[Finding]:
    """Find the causes behind what one look found, the most harmful ones first.

    Args:
        observations: Of all circuits and plants that were looked at, in any order.
        history: Those of the looks before that were breached, of the last days: since when is told by them, and what
            was an alarm needs less to stay one.
        now: Aware UTC.
    """
    raise NotImplementedError(f"{len(observations)} and {len(history)} at {now}")
