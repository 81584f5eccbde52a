"""Reading single values: the setting decides what a text means, never the text itself.

So `001` stays `001` where an id is wanted, `3.10` stays `3.10` where a version is, and `no`, `1:30` or
`0o17` are never quietly something else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from fleetcast.config.complaints import shown
from fleetcast.config.yaml_nodes import Scalar, kind_of
from fleetcast.domain.circuit import Cutoff, HyperparameterValue
from fleetcast.domain.duration import LONGEST, parse_duration, parse_instant
from fleetcast.domain.errors import BadInput
from fleetcast.domain.family import family_complaint
from fleetcast.domain.foreign import parse_size
from fleetcast.domain.identity import checked_id
from fleetcast.domain.semver import SemVer

ValueT = TypeVar("ValueT")

_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_REAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.?(inf|nan|infinity)", re.IGNORECASE)
_SENSOR = re.compile(r"[A-Za-z][A-Za-z0-9_ ().%/-]{0,63}")
_RESERVED = frozenset({"plant_id", "circuit_id", "timestamp"})
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


class Refused(ValueError):
    """A value that its setting does not accept; Pydantic carries it to where its line is known."""

    def __init__(self, what: str, fix: str = "") -> None:
        super().__init__(what)
        self.fix = fix


def scalar(value: object) -> Scalar:
    """The single value that a setting has."""
    if not isinstance(value, Scalar):
        raise Refused(f"must be a single value, not {kind_of(value)}")
    if value.empty:
        raise Refused("has no value", "write one or remove the line")
    return value


def text(value: object) -> str:
    """Any text, as it is written."""
    found = scalar(value).text
    if "\0" in found:
        raise Refused("contains a NUL character", "take it out")
    return found


def said_by_domain(read: Callable[[ValueT], object], found: ValueT) -> None:
    """Let the domain judge a value, and hand on what it says."""
    try:
        read(found)
    except BadInput as error:
        raise Refused(str(error), error.fix) from error


def identifier(value: object) -> str:
    """An id from the allow-list."""
    found = scalar(value).text
    said_by_domain(lambda name: checked_id("id", name), found)
    return found


def sensor(value: object) -> str:
    """The name of a sensor column."""
    found = value if isinstance(value, str) else scalar(value).text
    if not _SENSOR.fullmatch(found) or found != found.strip():
        raise Refused(
            f"{shown(found)} is not a sensor name",
            "start with a letter, then at most 63 letters, digits, blanks or _ ( ) . % / -",
        )
    if found.casefold() in _RESERVED:
        raise Refused(f"{shown(found)} is a column that every data source has", "name sensors only")
    return found


def _number(value: object, wanted: str) -> str:
    found = scalar(value)
    if not found.plain:
        raise Refused(f"must be {wanted}, not the text {shown(found.text)}", "remove the quotes")
    if _NOT_FINITE.fullmatch(found.text):
        raise Refused(f"must be a finite number, not {found.text}", "write a number")
    return found.text


def any_whole(value: object) -> int:
    """A whole number, whose bounds the domain knows."""
    return _whole(value, "a whole number")


def whole(minimum: int, maximum: int) -> Callable[[object], int]:
    """A reader of whole numbers from `minimum` to `maximum`."""
    wanted = f"a whole number from {minimum} to {maximum}"

    def read(value: object) -> int:
        found = _whole(value, wanted)
        if not minimum <= found <= maximum:
            raise Refused(f"must be {wanted}, not {found}")
        return found

    return read


def _whole(value: object, wanted: str) -> int:
    found = _number(value, wanted)
    if not _WHOLE.fullmatch(found):
        zeros = found.lstrip("+-").isdigit() and len(found) < 20
        raise Refused(
            f"must be {wanted}, not {shown(found)}", "write it without leading zeros" if zeros else ""
        )
    return int(found)


def real(minimum: float = -math.inf, maximum: float = math.inf) -> Callable[[object], float]:
    """A reader of finite numbers from `minimum` to `maximum`."""
    bounded = math.isfinite(minimum) and math.isfinite(maximum)
    wanted = f"a number from {minimum:g} to {maximum:g}" if bounded else "a number"
    if math.isfinite(minimum) and not bounded:
        wanted = f"a number of at least {minimum:g}"

    def read(value: object) -> float:
        found = _number(value, wanted)
        if not _REAL.fullmatch(found):
            raise Refused(f"must be {wanted}, not {shown(found)}")
        number = float(found)
        if not math.isfinite(number):
            raise Refused(f"must be a finite number, not {shown(found)}", "write a smaller number")
        if not minimum <= number <= maximum:
            raise Refused(f"must be {wanted}, not {found}")
        return number

    return read


def untyped(value: object) -> HyperparameterValue:
    """A value whose type its spelling decides, by the rules of YAML 1.2."""
    found = scalar(value)
    if not found.plain:
        return found.text
    if found.text in {"true", "false"}:
        return found.text == "true"
    if _WHOLE.fullmatch(found.text):
        return int(found.text)
    if _REAL.fullmatch(found.text) or _NOT_FINITE.fullmatch(found.text):
        return real()(value)
    return found.text


def duration(value: object) -> timedelta:
    """A duration with its unit."""
    found = scalar(value).text
    try:
        return parse_duration(found)
    except BadInput as error:
        raise Refused(str(error), error.fix) from error


def days_or_duration(value: object) -> timedelta:
    """A duration, or a bare whole number of days."""
    found = scalar(value)
    if found.plain and found.text.lstrip("+-").isdigit():
        return timedelta(days=whole(1, LONGEST.days)(value))
    return duration(value)


def seconds_or_duration(value: object) -> timedelta:
    """A duration, or a bare whole number of seconds."""
    found = scalar(value)
    if found.plain and found.text.lstrip("+-").isdigit():
        return timedelta(seconds=whole(1, 10**9)(value))
    return duration(value)


def size(value: object) -> int:
    """Bytes, with their unit."""
    found = scalar(value).text
    try:
        return parse_size(found)
    except BadInput as error:
        raise Refused(str(error), error.fix) from error


def instant(value: object) -> datetime:
    """A moment with its offset."""
    found = scalar(value).text
    try:
        return parse_instant(found)
    except BadInput as error:
        raise Refused(str(error), error.fix) from error
    except OverflowError as error:
        raise Refused(f"{shown(found)} is too far away", "write a date of this century") from error


def cutoff(value: object) -> Cutoff:
    """A date or an instant with its offset."""
    found = scalar(value).text
    try:
        parsed = Cutoff.parse(found)
    except BadInput as error:
        raise Refused(str(error), error.fix) from error
    except OverflowError as error:
        raise Refused(f"{shown(found)} is too far away", "write a date of this century") from error
    if parsed.end <= _EARLIEST:
        raise Refused(f"{shown(found)} is before 1970", "write a date of this century")
    return parsed


def version(value: object) -> SemVer:
    """A semantic version."""
    found = scalar(value).text
    try:
        return SemVer.parse(found)
    except BadInput as error:
        raise Refused(str(error), error.fix) from error


def family(value: object) -> str:
    """The name of a model family."""
    found = scalar(value).text
    if wrong := family_complaint(found):
        raise Refused(wrong)
    return found


def one_of(*values: str) -> Callable[[object], str]:
    """A reader of one of a closed set of words."""

    def read(value: object) -> str:
        found = scalar(value).text
        if found not in values:
            raise Refused(f"must be {' or '.join(values)}, not {shown(found)}")
        return found

    return read
