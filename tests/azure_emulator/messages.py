"""A request as it came in, an answer as it goes out, and which of our functions answers what."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.azure_emulator.faults import Fault

Json: TypeAlias = dict[str, "Value"]
Value: TypeAlias = "str | int | float | bool | list[Value] | Json | None"
"""What JSON can say."""

HERE = ""
"""The host of requests that come in plain HTTP to the emulator's own address."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request."""

    method: str
    host: str
    """In small letters, without a port; `HERE`: the emulator itself."""
    path: str
    """Decoded, without its query."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """By their names in small letters."""
    body: bytes
    fault: Fault | None = None
    """What is to go wrong after the change, or in its place."""

    @classmethod
    def read(cls, method: str, host: str, target: str, headers: Mapping[str, str], body: bytes) -> Request:
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        return cls(method.upper(), host.lower(), unquote(parts.path), query, headers, body)

    def asked(self, name: str) -> str | None:
        """A value of the query, whatever the case of its name."""
        return next((value for key, value in self.query.items() if key.lower() == name.lower()), None)

    def json(self) -> Value:
        """The body; None if it is empty or something else."""
        try:
            read: Value = json.loads(self.body) if self.body else None
        except ValueError:
            return None
        return read

    def mapping(self) -> Json:
        """The body, which has to be a JSON object.

        Raises:
            Refused: It is something else.
        """
        return mapping(self.json(), "the body")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    known: bool = True
    """Whether the emulator knows such a request."""

    def json(self) -> Value:
        """The body; None if it is empty or something else."""
        try:
            read: Value = json.loads(self.body) if self.body else None
        except ValueError:
            return None
        return read


class Refused(Exception):
    """What is asked for is not done; says so as Azure Resource Manager does."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.answer = refusal(status, code, message)


def answered(content: Value, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer in JSON."""
    said = {"content-type": "application/json; charset=utf-8", **(headers or {})}
    return Answer(status, json.dumps(content).encode(), said)


def refusal(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    """An error in JSON."""
    return answered({"error": {"code": code, "message": message}}, status, headers)


def mapping(value: Value, what: str) -> Json:
    """A JSON object, or a refusal."""
    if not isinstance(value, dict):
        raise Refused(400, "ValidationError", f"{what} has to be an object")
    return value


def part(value: Json, *names: str) -> Json:
    """An object within an object; empty if there is none."""
    for name in names:
        found = value.get(name)
        value = found if isinstance(found, dict) else {}
    return value


def text(value: Json, name: str) -> str:
    """A text in an object; empty if there is none."""
    found = value.get(name)
    return found if isinstance(found, str) else ""


Handler: TypeAlias = Callable[[Request, Mapping[str, str]], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """Requests of one shape, and who answers them."""

    method: str
    host: str
    """A pattern; has to match all of it."""
    path: str
    """A pattern with named groups, in any case; has to match all of it."""
    handler: Handler
    open: bool = False
    """Whether it is answered without a token."""

    def match(self, request: Request) -> Mapping[str, str] | None:
        if not re.fullmatch(self.method, request.method) or not re.fullmatch(self.host, request.host):
            return None
        found = re.fullmatch(self.path, request.path, re.IGNORECASE | re.DOTALL)
        if found is None:
            return None
        host = re.fullmatch(self.host, request.host)
        assert host is not None
        return {
            name: value
            for name, value in {**host.groupdict(), **found.groupdict()}.items()
            if value is not None
        }


def first(routes: Sequence[Route], request: Request) -> tuple[Route, Mapping[str, str]] | None:
    """The first route of that shape."""
    for route in routes:
        found = route.match(request)
        if found is not None:
            return route, found
    return None
