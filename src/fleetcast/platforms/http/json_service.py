"""JSON over HTTPS with a service that the installation trusts; proxies and certificates are those of the machine."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx

from fleetcast.domain.canonical import Json
from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.ports.clock import Clock

_ATTEMPTS = 5
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=1), timedelta(seconds=60)
_BUSY = (429, 502, 503, 504)
_LEFT, _RESET = "x-ratelimit-remaining", "x-ratelimit-reset"
"""How many requests may still be made, and when there will be more, in seconds since 1970."""
_NO_REASON = "no reason"
_NOT_BEGUN = (429, 503)
"""Answers after which something may be made once more: nobody knows what became of it after the others."""


@dataclass(frozen=True, slots=True)
class JsonService:
    """Asks one service; what it sends along to show who asks is in no error."""

    name: str
    """As people call it."""
    base: str
    """Before every path."""
    headers: Mapping[str, str] = field(repr=False)
    clock: Clock
    seconds: float = 30.0
    """For one answer."""
    certificates: ssl.SSLContext = field(
        default_factory=httpx.create_ssl_context, init=False, repr=False, compare=False
    )
    """Those that are trusted; reading them for each request would take longer than most answers."""

    def get(self, path: str, **query: str) -> Json:
        """Read something.

        Raises:
            BadInput: There is no such thing, or whoever asks may not see it.
            Unavailable: No answer, or one that cannot be understood.
        """
        return self._ask("GET", path, None, query)

    def get_page(self, path: str, next_in: str, **query: str) -> tuple[Json, str]:
        """Read a part of something; errors as of `get`.

        Args:
            path: Of what.
            next_in: The header of the answer that leads to the next part.
            query: Which part.

        Returns:
            The part, and what the header says; empty: this was the last one.
        """
        answer = self._answer("GET", path, None, query)
        return self._understood("GET", path, answer), answer.headers.get(next_in, "")

    def post(self, path: str, body: Json, **query: str) -> Json:
        """Make something; errors as of `get`. After `Unavailable` it may have been made all the same."""
        return self._ask("POST", path, body, query)

    def put(self, path: str, body: Json, **query: str) -> Json:
        """Replace something; errors as of `get`."""
        return self._ask("PUT", path, body, query)

    def patch(self, path: str, body: Json, **query: str) -> Json:
        """Change something; errors as of `get`."""
        return self._ask("PATCH", path, body, query)

    def delete(self, path: str) -> None:
        """Remove something; errors as of `get`."""
        self._ask("DELETE", path, None, {})

    def _ask(self, verb: str, path: str, body: Json, query: Mapping[str, str]) -> Json:
        return self._understood(verb, path, self._answer(verb, path, body, query))

    def _answer(self, verb: str, path: str, body: Json, query: Mapping[str, str]) -> httpx.Response:
        """Ask until it is not busy any more; a service that says when to come again is asked then."""
        pause, busy = _FIRST_PAUSE, _NOT_BEGUN if verb == "POST" else _BUSY
        for attempt in range(1, _ATTEMPTS + 1):
            answer = self._once(verb, path, body, query)
            is_busy = answer.status_code in busy or (answer.status_code == 403 and _said_pause(answer))
            if not is_busy or attempt == _ATTEMPTS:
                return answer
            self.clock.sleep(_said_pause(answer) or pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        raise AssertionError  # the last attempt has returned or raised

    def _once(self, verb: str, path: str, body: Json, query: Mapping[str, str]) -> httpx.Response:
        try:
            return httpx.request(
                verb,
                self.base + path,
                params=dict(query),
                json=body,
                headers=dict(self.headers),
                timeout=self.seconds,
                verify=self.certificates,
            )
        except httpx.HTTPError as error:
            raise Unavailable(
                f"{self.name} does not answer: {type(error).__name__}",
                fix="check the address, the proxy and its certificate",
            ) from error

    def _understood(self, verb: str, path: str, answer: httpx.Response) -> Json:
        if answer.status_code in (403, 429) and answer.headers.get(_LEFT) == "0":
            raise Unavailable(
                f"{self.name} takes no more requests of this identity for now",
                fix=f"try again {_when_again(answer)}",
            )
        if answer.status_code in (401, 403):
            said = _said(answer)
            fix = (
                "check the token: it is wrong, or its time is over"
                if answer.status_code == 401
                else "give the identity that runs this the right to"
            )
            raise BadInput(
                f"{self.name} refuses {verb} {path} ({answer.status_code}){'' if said == _NO_REASON else f': {said}'}",
                fix=fix,
            )
        if answer.status_code == 422:
            raise BadInput(
                f"{self.name} does not take {verb} {path} (422): {_said(answer)}",
                fix="check the names and values that it is told",
            )
        if answer.status_code == 404:
            raise BadInput(f"{self.name} has no {path}", fix="check the names, and whether it may be seen")
        if not answer.is_success:
            raise Unavailable(
                f"{self.name} answers {verb} {path} with {answer.status_code}: {_said(answer)}",
                fix="try again later; look at the service's own page",
            )
        if not answer.content:
            return None
        try:
            found: Json = answer.json()
        except ValueError as error:
            raise Unavailable(
                f"{self.name} answers {verb} {path} with something else than JSON",
                fix="check the address: a sign-in page answers so",
            ) from error
        return found


def _said_pause(answer: httpx.Response) -> timedelta | None:
    said = answer.headers.get("Retry-After", "")
    return min(timedelta(seconds=int(said)), _LONGEST_PAUSE) if said.isdecimal() and int(said) else None


def _when_again(answer: httpx.Response) -> str:
    said = answer.headers.get(_RESET, "")
    if not said.isdecimal():
        return "later"
    return f"after {datetime.fromtimestamp(int(said[:11]), UTC):%Y-%m-%dT%H:%M:%SZ}"


def _said(answer: httpx.Response) -> str:
    """What a service says is wrong, in one line, with each part that it names."""
    try:
        read = answer.json()
    except ValueError:
        return _NO_REASON
    if not isinstance(read, dict) or not read.get("message"):
        return _NO_REASON
    errors = read.get("errors")
    parts = [_part(one) for one in errors] if isinstance(errors, list) else []
    return "; ".join(part.splitlines()[0] for part in (str(read["message"]), *parts) if part)[:300]


def _part(error: Json) -> str:
    return str(error.get("message") or "") if isinstance(error, dict) else str(error)
