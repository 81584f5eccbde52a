"""The append-only, hash-chained record of who changed what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from fleetcast.domain.canonical import Json, digest_of
from fleetcast.domain.identity import Digest

REGISTERED, ADOPTED = "model.registered", "model.adopted"
ENVIRONMENT_REGISTERED = "environment.registered"
SHARED, CROWNED = "model.shared", "model.crowned"
RETIRED, ARTIFACT_REMOVED = "model.retired", "artifact.removed"
COMPOSED, MADE_LIVE = "release.composed", "release.made_live"
GENESIS = Digest("0" * 64)
"""What the first entry is chained to."""


def about_request(number: int) -> str:
    """What entries about a request are found by."""
    return f"request {number}"


@lru_cache(20_000)
def about_model(name: str) -> str:
    """What entries about a model and its versions are found by: short, whatever the length of its name."""
    return f"model {Digest.of(name.encode()).hex[:24]}"


def about_release(endpoint: str) -> str:
    """What entries about the releases of an endpoint are found by."""
    return f"release {Digest.of(endpoint.encode()).hex[:24]}"


def about_job(job: str) -> str:
    """What entries about a training job are found by."""
    return f"job {Digest.of(job.encode()).hex[:24]}"


def about_account(person: str) -> str:
    """What entries about the account of a person are found by."""
    return f"account {Digest.of(person.encode()).hex[:20]}"


def about(action: str, subject: str, detail: Mapping[str, Json]) -> str:
    """By what all entries about one thing are found, as of an event."""
    request = detail.get("request")
    if isinstance(request, int):
        return about_request(request)
    kind = action.partition(".")[0]
    if kind in ("model", "artifact"):
        return about_model(subject.partition(":")[0])
    if kind == "release":
        return about_release(subject.rpartition(":")[0])
    if kind == "run":
        return subject
    if kind == "job":
        return about_job(subject)
    if kind in ("token", "link"):
        return subject
    if kind == "session":
        return f"session {detail.get('session')}"
    return about_account(str(detail.get("person"))) if kind == "account" else ""


class Standing(StrEnum):
    """How an identity is known."""

    VERIFIED = "verified"
    """Signed in."""
    ASSERTED = "asserted"
    """Taken from the operating system."""


class Means(StrEnum):
    """By what an identity was shown."""

    SYSTEM_USER = "system-user"
    """The operating system's user of the process: its number in the machine's user database."""
    PASSWORD = "password"  # noqa: S105  # a means, not a secret
    """An account of this fleet."""
    OIDC = "oidc"
    """An account at an identity provider (OpenID Connect)."""
    TOKEN = "token"  # noqa: S105  # the same
    """A secret made for a program, or for one person's command line."""


@dataclass(frozen=True, slots=True)
class Proof:
    """How somebody showed who they are."""

    means: Means
    detail: str
    """What an auditor can look up: `uid 1000 on plant-7`, the account's name, the provider's issuer, tenant and
    object, or the number of a token."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or a machine account that changes something."""

    name: str
    standing: Standing = Standing.ASSERTED
    proof: Proof | None = None
    """None: nobody noted it, as before proofs were kept."""
    person: str = ""
    """The id of the person on record; empty for somebody who is on none."""

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Something that changed, before it has a place in the log."""

    action: str
    """A verb and its object: `model.registered`, `request.approved`."""
    subject: str
    detail: Mapping[str, Json]

    @property
    def about(self) -> str:
        """By what all entries about one thing are found; empty for what nobody looks for."""
        return about(self.action, self.subject, self.detail)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An event in its place: its number, time, actor, and the digest of the entry before it."""

    number: int
    at: datetime
    actor: Actor
    event: AuditEvent
    previous: Digest
    digest: Digest

    @property
    def mark(self) -> Mark:
        """By what it is remembered."""
        return Mark(self.number, self.digest)


def follows(entry: AuditEntry, number: int, previous: Digest) -> bool:
    """Whether an entry is what its digest says, and the one of this number after the entry with digest `previous`."""
    return (
        entry.number == number
        and entry.previous == previous
        and entry.digest == _digest(number, entry.at, entry.actor, entry.event, previous)
    )


def chained(number: int, at: datetime, actor: Actor, event: AuditEvent, previous: Digest) -> AuditEntry:
    """Put an event after the entry with digest `previous`."""
    return AuditEntry(number, at, actor, event, previous, _digest(number, at, actor, event, previous))


@dataclass(frozen=True, slots=True)
class Mark:
    """An entry of the log by its number and digest: who remembers it notices when history was lost before it."""

    number: int
    digest: Digest


def _digest(number: int, at: datetime, actor: Actor, event: AuditEvent, previous: Digest) -> Digest:
    content: dict[str, Json] = {
        "number": number,
        "at": at.isoformat(),
        "actor": actor.name,
        "standing": actor.standing.value,
        "action": event.action,
        "subject": event.subject,
        "detail": event.detail,
        "previous": previous.hex,
    }
    if actor.proof is not None:
        content["proof"] = {"means": actor.proof.means.value, "detail": actor.proof.detail}
    if actor.person:
        content["person"] = actor.person
    return digest_of(content)
