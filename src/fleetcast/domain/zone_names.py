"""Short names of time zones, such as `CET`: which mean one offset wherever they are written, and which do not."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from fleetcast.domain.errors import BadInput

_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})")
EASTERNMOST, WESTERNMOST = 14 * 60, -12 * 60
"""Minutes east of UTC of the clocks that there are."""
_HOW = "write an IANA name such as Europe/Paris, or an offset such as +01:00"

ONE_OFFSET = {
    "UTC": 0, "UT": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 60,
    "CET": 60, "CEST": 120, "MEZ": 60, "MESZ": 120, "EET": 120, "EEST": 180,
    "CAT": 120, "EAT": 180, "SAST": 120, "PKT": 300, "HKT": 480, "JST": 540, "KST": 540,
    "AWST": 480, "ACST": 570, "ACDT": 630, "AEST": 600, "AEDT": 660, "NZST": 720, "NZDT": 780,
    "MDT": -360, "PDT": -420, "AKST": -540, "AKDT": -480, "HST": -600,
}  # fmt: skip
"""Minutes east of UTC of the names that are used for one offset alone."""

SEVERAL_OFFSETS = {
    "AMT": ("the Amazon (-04:00) or Armenia (+04:00)", "America/Manaus"),
    "AST": ("the Atlantic coast (-04:00) or Arabia (+03:00)", "America/Halifax"),
    "BST": ("Britain (+01:00) or Bangladesh (+06:00)", "Europe/London"),
    "CDT": ("North America (-05:00), Cuba (-04:00) or China (+09:00)", "America/Chicago"),
    "CST": ("North America (-06:00), Cuba (-05:00) or China (+08:00)", "America/Chicago"),
    "EDT": ("North America (-04:00) or Australia (+11:00)", "America/New_York"),
    "EST": ("North America (-05:00) or Australia (+10:00)", "America/New_York"),
    "GST": ("the Gulf (+04:00) or South Georgia (-02:00)", "Asia/Dubai"),
    "IST": ("India (+05:30), Israel (+02:00) or Ireland (+01:00)", "Asia/Kolkata"),
    "MSK": ("Moscow now (+03:00) or from 2011 to 2014 (+04:00)", "Europe/Moscow"),
    "MST": ("North America (-07:00) or Malaysia (+08:00)", "America/Denver"),
    "PST": ("North America (-08:00) or the Philippines (+08:00)", "America/Los_Angeles"),
    "SST": ("Samoa (-11:00) or Singapore (+08:00)", "Pacific/Pago_Pago"),
    "WST": ("Western Australia (+08:00) or Samoa (+13:00)", "Australia/Perth"),
}
"""What other names may mean, and a zone that uses each."""


def offsets_in(zone: str) -> dict[str, frozenset[int]]:
    """The names that a zone's clocks have gone by since 1970, each with its minutes east of UTC.

    Args:
        zone: IANA name of a zone there is.
    """
    clock = ZoneInfo(zone)
    found: dict[str, set[int]] = {}
    for year in range(1970, 2038):
        for month in range(1, 13):
            moment = datetime(year, month, 1, tzinfo=UTC).astimezone(clock)
            offset = moment.utcoffset()
            if offset is not None:
                found.setdefault(moment.tzname() or "", set()).add(int(offset.total_seconds()) // 60)
    return {name: frozenset(offsets) for name, offsets in found.items()}


def fixed_offset(text: str) -> int | None:
    """Minutes east of UTC of an offset such as `+05:30`; None if it is something else."""
    found = _OFFSET.fullmatch(text)
    return None if found is None else (int(found[2]) * 60 + int(found[3])) * (-1 if found[1] == "-" else 1)


def is_offset(minutes: int, text: str) -> bool:
    """Whether a clock can be so far from UTC, and the minutes after the hour are below 60.

    Args:
        minutes: East of UTC.
        text: How it was written.
    """
    return WESTERNMOST <= minutes <= EASTERNMOST and int(text[-2:]) < 60


def check_zone(text: str) -> None:
    """Check what a person names as the clock of local times.

    Raises:
        BadInput: Neither a zone there is, nor an offset that a clock can have.
    """
    minutes = fixed_offset(text)
    if minutes is not None:
        if not is_offset(minutes, text):
            raise BadInput(
                f"no clock is {text} from UTC: offsets are from -12:00 to +14:00, with minutes below 60",
                fix=_HOW,
            )
        return
    if not text.strip():
        raise BadInput("the time zone is empty", fix=_HOW)
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError) as error:  # as a KeyError it is not there, as an OSError a folder
        raise BadInput(f"time zone {text!r} is not known", fix=_HOW) from error
