"""The append-only, hash-chained record of who changed what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fleetcast.domain.canonical import Json, digest_of
from fleetcast.domain.identity import Digest

GENESIS = Digest("0" * 64)
"""What the first entry is chained to."""


class Standing(StrEnum):
    """How an identity is known."""

    VERIFIED = "verified"
    """Signed in."""
    ASSERTED = "asserted"
    """Taken from the operating system."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or a machine account that changes something."""

    name: str
    standing: Standing = Standing.ASSERTED

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Something that changed, before it has a place in the log."""

    action: str
    """A verb and its object: `model.registered`, `request.approved`."""
    subject: str
    detail: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An event in its place: its number, time, actor, and the digest of the entry before it."""

    number: int
    at: datetime
    actor: Actor
    event: AuditEvent
    previous: Digest
    digest: Digest


def chained(number: int, at: datetime, actor: Actor, event: AuditEvent, previous: Digest) -> AuditEntry:
    """Put an event after the entry with digest `previous`."""
    return AuditEntry(number, at, actor, event, previous, _digest(number, at, actor, event, previous))


@dataclass(frozen=True, slots=True)
class Mark:
    """An entry of the log by its number and digest: who remembers it notices when history was lost before it."""

    number: int
    digest: Digest


@dataclass(frozen=True, slots=True)
class Unbroken:
    """A log in which every entry fits the one before it."""

    entries: int
    head: Digest
    """Of the last entry."""


def verify(entries: Iterable[AuditEntry]) -> Unbroken | AuditEntry:
    """Go through a log; gives the first entry that was changed, or that is not chained to the one before it."""
    previous, number = GENESIS, 0
    for entry in entries:
        number += 1
        digest = _digest(number, entry.at, entry.actor, entry.event, previous)
        if entry.number != number or entry.previous != previous or entry.digest != digest:
            return entry
        previous = entry.digest
    return Unbroken(number, previous)


def _digest(number: int, at: datetime, actor: Actor, event: AuditEvent, previous: Digest) -> Digest:
    return digest_of(
        {
            "number": number,
            "at": at.isoformat(),
            "actor": actor.name,
            "standing": actor.standing.value,
            "action": event.action,
            "subject": event.subject,
            "detail": event.detail,
            "previous": previous.hex,
        }
    )
