"""What is wrong, as programs read it: problem details of RFC 9457, with what to do next."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from fleetcast.domain.approval import NotDecidable
from fleetcast.domain.assets import VersionTaken
from fleetcast.domain.errors import BadInput, FleetcastError, HistoryLost, InvalidFleet, Unavailable
from fleetcast.domain.people import Denied
from fleetcast.domain.repeat import KeyTaken, StillAtWork
from fleetcast.ports.runs import RunInProgress, RunTakenOver
from fleetcast.stored.form import Unreadable

MEDIA_TYPE = "application/problem+json"
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: its name never changes, and programs may depend on it."""

    name: str
    status: int
    title: str

    @property
    def uri(self) -> str:
        """What stands under `type`."""
        return f"urn:fleetcast:problem:{self.name}"


class Missing(FleetcastError):
    """What an address names does not exist."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One answer that says what is wrong."""

    kind: Kind
    detail: str
    fix: str = ""
    errors: Sequence[Mapping[str, str]] = ()
    """Which fields are wrong, where that is known: `where` and `says`."""
    headers: Mapping[str, str] = field(default_factory=lambda: _NO_HEADERS)

    def as_json(self) -> dict[str, object]:
        """The body, without the request's id."""
        found: dict[str, object] = {
            "type": self.kind.uri,
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            "fix": self.fix or None,
        }
        return found | ({"errors": list(self.errors)} if self.errors else {})

    def body(self) -> bytes:
        """The body in signs that every reader can take."""
        return json.dumps(self.as_json()).encode()


NO_IDENTITY = Kind("no-identity", 401, "Nobody knows who asks")
DENIED = Kind("denied", 403, "Not allowed")
FOREIGN_ORIGIN = Kind("foreign-origin", 403, "Sent from another site")
NO_CSRF_TOKEN = Kind("no-csrf-token", 403, "Not sent from a page of this site")
NOT_FOUND = Kind("not-found", 404, "There is no such thing")
NO_SUCH_METHOD = Kind("no-such-method", 405, "This cannot be done here")
TOO_SLOW = Kind("too-slow", 408, "The request did not arrive in time")
NOT_DECIDABLE = Kind("not-decidable", 409, "This decision cannot be made")
AT_WORK = Kind("at-work", 409, "Somebody is at work on it")
CONFLICT = Kind("conflict", 409, "This does not fit what exists")
TOO_LARGE = Kind("too-large", 413, "The request is too large")
NOT_JSON = Kind("not-json", 415, "The body is of another type")
OTHER_HOST = Kind("other-host", 421, "Meant for another host")
BAD_INPUT = Kind("bad-input", 422, "This cannot be taken as it is")
KEY_TAKEN = Kind("key-taken", 422, "The idempotency key stands for another call")
TOO_OFTEN = Kind("too-often", 429, "Too many attempts")
BROKEN = Kind("broken", 500, "Something went wrong here")
UNAVAILABLE = Kind("unavailable", 503, "Not available at the moment")
INVALID_FLEET = Kind("invalid-fleet", 503, "The fleet repository has mistakes")
KINDS = tuple(kind for kind in globals().values() if isinstance(kind, Kind))

_OF_ERRORS: Mapping[type[FleetcastError], Kind] = {
    Missing: NOT_FOUND,
    InvalidFleet: INVALID_FLEET,
    Unreadable: UNAVAILABLE,
    KeyTaken: KEY_TAKEN,
    BadInput: BAD_INPUT,
    Denied: DENIED,
    NotDecidable: NOT_DECIDABLE,
    StillAtWork: AT_WORK,
    RunInProgress: AT_WORK,
    RunTakenOver: AT_WORK,
    VersionTaken: CONFLICT,
    HistoryLost: UNAVAILABLE,
    Unavailable: UNAVAILABLE,
}
"""The more special ones first."""
_LATER = MappingProxyType({"retry-after": "5"})


def problem_of(error: FleetcastError) -> Problem:
    """What a caller is told about an error."""
    kind = next((kind for of, kind in _OF_ERRORS.items() if isinstance(error, of)), CONFLICT)
    later = kind is UNAVAILABLE or kind is AT_WORK
    return Problem(kind, str(error), error.fix, headers=_LATER if later else _NO_HEADERS)
