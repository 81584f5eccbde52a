"""Changes of the world outside the control database: intended, done, confirmed by reading back, then recorded."""

from __future__ import annotations

from dataclasses import dataclass

from fleetcast.domain.audit import AuditEvent


@dataclass(frozen=True, slots=True)
class Effect:
    """One change of the world. Its key names it for ever: intending it twice, or doing it twice, is once."""

    key: str
    """What is done, to what: `share model plant001-circuit01:3`."""
    event: AuditEvent
    """What the audit log says once it is confirmed."""
