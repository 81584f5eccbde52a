"""Times that are followed by the name of a zone, as `%Z` reads it.

The parser of times passes over the name, so that `12:00 CET` would be noon of any zone. Here the name is cut out
and looked up: in the zone of `--timezone`, else among those that mean one offset wherever they are written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfoNotFoundError

import polars as pl

from fleetcast.domain.errors import BadInput
from fleetcast.domain.zone_names import ONE_OFFSET, SEVERAL_OFFSETS, fixed_offset, offsets_in

DIRECTIVE = re.compile(r"%[-_0:#.\d]*[A-Za-z+%]")
"""One strptime directive, with its padding or width."""


@dataclass(frozen=True, slots=True)
class NamedZones:
    """How to part times from the names of their zones."""

    format: str
    """strptime directives of what is left without the name."""
    pattern: str
    """With the groups `before`, `zone` and `after`."""
    beside_offset: bool
    """Whether the times carry an offset as well, which says all."""

    @classmethod
    def of(cls, fmt: str) -> NamedZones | None:
        """None if the directives read no name of a zone."""
        directives = list(DIRECTIVE.finditer(fmt))
        zone = next((one for one in directives if one[0] == "%Z"), None)
        if zone is None:
            return None
        before, after = fmt[: zone.start()], fmt[zone.end() :]
        name = r"[A-Za-z][^\s,;)\]]*|[+-]\d{2}:?\d{2}"
        pattern = f"^(?P<before>{_loosely(before)})(?P<zone>{name})(?P<after>{_loosely(after)})$"
        return cls((before + after).strip(), pattern, any(one[0].endswith("z") for one in directives))

    def split(self, text: pl.Series) -> pl.DataFrame:
        """Columns `text` (without the name) and `zone` (in capitals); both null where there is no name."""
        parts = text.str.extract_groups(self.pattern).struct.unnest()
        return parts.select(
            text=pl.concat_str("before", "after").str.strip_chars(), zone=pl.col("zone").str.to_uppercase()
        )


def zone_offsets(names: Sequence[str], timezone: str | None) -> dict[str, int | None]:
    """Minutes east of UTC for the names that are clear.

    None for a name that `timezone` uses for several offsets: its rules say which, at each time.

    Args:
        names: In capitals.
        timezone: IANA name or offset, as the options say.
    """
    told = None if timezone is None else fixed_offset(timezone)
    own = {} if timezone is None or told is not None else _names_of(timezone)
    found: dict[str, int | None] = {}
    for name in names:
        offset = fixed_offset(name)
        if name in own:
            found[name] = next(iter(own[name])) if len(own[name]) == 1 else None
        elif offset is not None or name in ONE_OFFSET:
            found[name] = offset if offset is not None else ONE_OFFSET[name]
    unclear = [name for name in names if name not in found]
    if told is not None and len(unclear) == 1:
        # One name that is not known, and one offset that is told: they belong together.
        found[unclear[0]] = told
    return found


def unclear_zone(where: str, name: str, timezone: str | None) -> BadInput:
    """The refusal of a name that may mean several offsets, or that nobody knows."""
    meanings, example = SEVERAL_OFFSETS.get(name, ("", "Europe/Paris"))
    what = f"may be that of {meanings}" if meanings else "is no zone that is known"
    told = (
        "" if timezone is None or fixed_offset(timezone) is not None else f", and {timezone} does not use it"
    )
    return BadInput(
        f"{where}: {name} {what}{told}",
        fix=f"say whose clock it was: --timezone {example} or --timezone +01:00; or write offsets, and %z for %Z",
    )


def _names_of(timezone: str) -> dict[str, frozenset[int]]:
    try:
        return offsets_in(timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadInput(
            f"time zone {timezone!r} is not known",
            fix="write an IANA name such as Europe/Paris, or an offset such as +01:00",
        ) from error


def _loosely(fmt: str) -> str:
    """A pattern for what directives read: anything for each of them, and the text between them as it is."""
    parts: list[str] = []
    end = 0
    for directive in DIRECTIVE.finditer(fmt):
        parts += [_literally(fmt[end : directive.start()]), "%" if directive[0] == "%%" else ".*?"]
        end = directive.end()
    return "".join([*parts, _literally(fmt[end:])])


def _literally(text: str) -> str:
    return r"\s*".join(re.escape(part) for part in re.split(r"\s+", text))
