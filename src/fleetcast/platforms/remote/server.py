"""A fleet that somebody else serves: asks `fleetcast web` over HTTP, and says its refusals as our own errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from urllib.parse import urlencode, urlsplit

import httpx

from fleetcast import __version__
from fleetcast.domain.approval import NotDecidable
from fleetcast.domain.canonical import Json
from fleetcast.domain.errors import BadInput, FleetcastError, Unavailable
from fleetcast.domain.legible import legible_lines
from fleetcast.domain.people import Denied
from fleetcast.ports.clock import Clock
from fleetcast.ports.served import PREFIX, URL_VARIABLE, VALUES, VERSION_HEADER

_PATIENCE_SECONDS = 120.0
_CONNECTS_WITHIN_SECONDS = 10.0
_ATTEMPTS = 3
_BETWEEN = timedelta(seconds=1)
_LONGEST = 10_000
_PROBLEM = "application/problem+json"


def server_url(text: str) -> str:
    """The address of a server, without a slash at its end.

    Raises:
        BadInput: It is none, or one at which a token could be read on the way.
    """
    fix = f"set {URL_VARIABLE} to the address that `fleetcast web` prints: https://fleet.example.org"
    try:
        parts = urlsplit(text.strip())
        named = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        raise BadInput(f"{URL_VARIABLE} is not the address of a server", fix=fix) from None
    more = parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in ("https", "http") or not named or more:
        raise BadInput(f"{URL_VARIABLE} is not the address of a server", fix=fix)
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise BadInput(
            f"{parts.netloc} would be asked without https, and the token could be read on the way",
            fix="put a proxy with https before it, and write https://",
        )
    return f"{parts.scheme}://{parts.netloc.lower()}"


@dataclass(frozen=True, slots=True)
class Server:
    """A server of one fleet, asked in the name of whose token it is. Threads may share it."""

    url: str
    """As `server_url` gives it."""
    token: str | None = field(repr=False)
    clock: Clock
    transport: httpx.BaseTransport | None = None
    """Carries requests; None: the network."""

    def values(self, path: str, query: Mapping[str, object] | None = None) -> bytes:
        """What the server sends to a command line of its own version.

        Args:
            path: Below `/api/v1`.
            query: What is asked for; None is left out.

        Raises:
            Denied: The token says nothing, or its person may not look.
            BadInput: There is no such thing; or the server is no fleetcast, or another version.
            Unavailable: It does not answer.
        """
        answer = self._asked("GET", path, query, None, {"accept": VALUES})
        version = _shown(answer.headers.get(VERSION_HEADER, ""))
        if answer.headers.get("content-type", "").partition(";")[0] != VALUES:
            raise self._stranger("does not answer as fleetcast does")
        if version != __version__:
            raise BadInput(
                f"{self.url} is fleetcast {version or 'of another version'}, and this is {__version__}",
                fix="use the same version here as there; programs can ask /api/v1 as docs/API.md says",
            )
        return answer.content

    def change(self, path: str, body: Mapping[str, Json], key: str | None = None) -> Mapping[str, Json]:
        """Ask for a change.

        Args:
            path: Below `/api/v1`.
            body: As docs/API.md says.
            key: Made up for this change: with it, what breaks on the way is sent again and done once. None: it is
                sent once.

        Raises:
            NotDecidable: A decision that cannot be made.
            Denied: As `values`; BadInput and Unavailable too.
        """
        headers = {"content-type": "application/json", "accept": "application/json"}
        if key is not None:
            headers["idempotency-key"] = key
        read = _mapping(self._asked("POST", path, None, json.dumps(body).encode(), headers).content)
        if read is None:
            raise self._stranger("does not answer as fleetcast does")
        return read

    def _asked(
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None,
        body: bytes | None,
        headers: Mapping[str, str],
    ) -> httpx.Response:
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        address = f"{self.url}{PREFIX}{path}" + (f"?{urlencode(asked)}" if asked else "")
        said = {"user-agent": f"fleetcast/{__version__}", **headers}
        if self.token is not None:
            said["authorization"] = f"Bearer {self.token}"
        repeats = _ATTEMPTS if method == "GET" or "idempotency-key" in headers else 1
        with httpx.Client(
            timeout=httpx.Timeout(_PATIENCE_SECONDS, connect=_CONNECTS_WITHIN_SECONDS),
            follow_redirects=False,
            transport=self.transport,
        ) as client:
            for left in reversed(range(repeats)):
                try:
                    answer = client.request(method, address, content=body, headers=said)
                except httpx.HTTPError as error:
                    if not left or isinstance(error, httpx.ConnectError | httpx.UnsupportedProtocol):
                        raise self._silent(error) from None
                else:
                    if answer.is_success:
                        return answer
                    # 409 at-work: the same call, sent before, is not finished yet.
                    if not left or not _is_at_work(answer):
                        raise self._refusal(answer)
                self.clock.sleep(_BETWEEN)
        raise AssertionError("the last attempt returns or raises")

    def _refusal(self, answer: httpx.Response) -> FleetcastError:
        said = _problem(answer)
        if said is None:
            more = " by leading elsewhere" if answer.is_redirect else ""
            return self._stranger(f"answers {answer.status_code}{more}, not as fleetcast does")
        detail, fix = (
            _shown(str(said.get("detail") or answer.status_code)),
            _shown(str(said.get("fix") or "")),
        )
        kind = str(said.get("type", "")).rpartition(":")[2]
        if answer.status_code == 401:
            return Denied(
                f"{self.url} does not know whose command this is",
                fix="`fleetcast login`, or set FLEETCAST_TOKEN to a token of yours",
            )
        if answer.status_code == 403:
            return Denied(detail, fix=fix)
        if kind == "not-decidable":
            return NotDecidable(detail, fix=fix)
        if answer.status_code in (408, 429) or answer.status_code >= 500 or kind == "at-work":
            return Unavailable(f"{self.url}: {detail}", fix=fix)
        return BadInput(detail, fix=fix)

    def _silent(self, error: httpx.HTTPError) -> Unavailable:
        why = "in time" if isinstance(error, httpx.TimeoutException) else f"({type(error).__name__})"
        return Unavailable(
            f"{self.url} does not answer {why}",
            fix=f"see that `fleetcast web` runs there, and that {URL_VARIABLE} is its address",
        )

    def _stranger(self, what: str) -> BadInput:
        return BadInput(f"{self.url} {what}", fix=f"set {URL_VARIABLE} to the address of a `fleetcast web`")


def _is_at_work(answer: httpx.Response) -> bool:
    said = _problem(answer)
    return said is not None and str(said.get("type", "")).endswith(":at-work")


def _problem(answer: httpx.Response) -> Mapping[str, Json] | None:
    sent = answer.headers.get("content-type", "").partition(";")[0]
    return _mapping(answer.content) if sent == _PROBLEM else None


def _mapping(content: bytes) -> Mapping[str, Json] | None:
    try:
        read: object = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


def _shown(text: str) -> str:
    """What a server says, without what would move the cursor of a terminal."""
    return legible_lines(text[:_LONGEST])


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
