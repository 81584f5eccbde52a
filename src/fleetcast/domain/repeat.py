"""Calls that may be made again with the same key: nothing is done twice, and the answer is the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from fleetcast.domain.audit import Actor
from fleetcast.domain.canonical import digest_of, plain
from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.identity import Digest

KEPT_FOR = timedelta(hours=24)
"""How long an answer is given again."""
ABANDONED_AFTER = timedelta(minutes=2)
"""After this long, whoever began a call and has not answered it died on the way."""


class KeyTaken(FleetcastError):
    """A key that stands for another call."""


class StillAtWork(FleetcastError):
    """A call that was made before, and has no answer yet."""


@dataclass(frozen=True, slots=True)
class Call:
    """Somebody's call that changes something, under a key of theirs."""

    owner: Digest
    """Who made it: their key is nobody else's."""
    key: str
    content: Digest
    """What was asked for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a caller got."""

    status: int
    """As HTTP numbers them."""
    body: str
    """JSON."""


@dataclass(frozen=True, slots=True)
class KeptCall:
    """A call, and what was answered."""

    call: Call
    begun_at: datetime
    answer: Answer | None = None
    """None: somebody is at work on it, or died."""


def owner_of(actor: Actor) -> Digest:
    """Whose keys these are: a person by one way to show who they are, as each may reach to something else."""
    return digest_of({"person": actor.person, "name": actor.name, "proof": plain(actor.proof)})


def met_again(kept: KeptCall, call: Call, now: datetime) -> Answer | None:
    """What a call under a key that is known gets; None: nothing, and it is to be done now.

    Raises:
        KeyTaken: The key stood for another call.
        StillAtWork: The first call goes on.
    """
    if kept.call.content != call.content:
        raise KeyTaken(
            "this idempotency key was used for another call",
            fix="make a new key for each thing that you want done",
        )
    if kept.answer is None and now - kept.begun_at < ABANDONED_AFTER:
        raise StillAtWork("the same call is at work", fix="wait a moment, then send it again")
    return kept.answer
