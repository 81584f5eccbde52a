"""Where notices are sent to."""

from __future__ import annotations

from dataclasses import dataclass

from fleetcast.domain.identity import checked_id


@dataclass(frozen=True, slots=True)
class Channel:
    """Somewhere notices are sent to."""

    name: str
    kind: str
    """`teams`, `email` …"""

    def __post_init__(self) -> None:
        checked_id("channel", self.name)
        checked_id("kind of channel", self.kind)
