"""Names of sensors: columns of the readings table, keys in circuit files, labels on charts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches

from fleetcast.domain.errors import BadInput

_SENSOR = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
RESERVED = ("plant_id", "circuit_id", "timestamp")
"""Columns of the readings table that are not sensors."""
_LONGEST_UNIT = 20
LARGEST = 1e30
"""No sensor reads more, in any unit, with either sign: what is beyond is a slip, or a logger's word for no reading.

Squares and sums of readings below it stay far from the end of 64-bit floats, so nothing overflows that is computed.
"""


def is_sensor(name: str) -> bool:
    """Whether a name may be a sensor: a letter, then at most 63 letters, digits or '_'.

    Blanks and brackets are refused because other readers of a Delta table (Spark, SQL) refuse them or
    must quote them.
    """
    return bool(_SENSOR.fullmatch(name)) and name.lower() not in RESERVED


def check_unit(unit: str) -> None:
    """Check what the numbers of a sensor are said to be in: a label, which converts nothing.

    Raises:
        BadInput: It is empty, too long for a label, or holds what cannot be seen.
    """
    if not unit.strip() or len(unit) > _LONGEST_UNIT or not unit.isprintable():
        raise BadInput(
            f"{unit[:40]!r} is no unit", fix=f"write at most {_LONGEST_UNIT} characters, such as °C or m³/h"
        )


def proposed_sensor(name: str) -> str:
    """The valid sensor name that looks most like `name`: `CO2(tCO2)` becomes `CO2_tCO2`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    words = re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_")
    if not words or not words[0].isalpha():
        words = f"sensor_{words}".rstrip("_")
    if words.lower() in RESERVED:
        words = f"{words}_reading"
    return words[:64]


def checked_sensors(names: Iterable[str], *, where: str) -> None:
    """Check the names that readings are to be stored under.

    Args:
        names: Column names after renaming.
        where: The file, for the error.

    Raises:
        BadInput: A name is not valid, or two differ only in case; the fix spells out every rename.
    """
    names = list(names)
    wrong = [name for name in names if not is_sensor(name)]
    if wrong:
        shown = ", ".join(repr(name) for name in wrong)
        raise BadInput(
            f"{where}: column {shown} cannot be a sensor name (letters, digits, '_'; a letter first)",
            fix="rename: " + " ".join(f"--rename '{name}={proposed_sensor(name)}'" for name in wrong),
        )
    lower: dict[str, str] = {}
    for name in names:
        twin = lower.get(name.lower())
        lower[name.lower()] = name
        if twin is not None:
            raise BadInput(
                f"{where}: columns {twin!r} and {name!r} would be one column of the readings table",
                fix=f"rename one of them: --rename '{name}=…', or leave it out: --drop '{name}'",
            )


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint for a misspelt name: the nearest known one, else all of them."""
    known = list(known)
    nearest = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {nearest[0]!r}?" if nearest else f"there is: {', '.join(known) or 'nothing'}"


def slip_of(name: str, known: Iterable[str]) -> str | None:
    """The known sensor that a name differs from by one letter only: missing, added, another, or two in turn.

    Names of a row (`temp_1` and `temp_2`, `phase_a` and `phase_b`) are no slips of each other: a digit, or a letter
    that stands alone, is meant. Up to three letters are too few to tell. Upper and lower case are the same.
    """
    return next((other for other in sorted(known) if other != name and _one_slip(name, other)), None)


def _one_slip(name: str, other: str) -> bool:
    a, b = sorted((name.lower(), other.lower()), key=len)
    if a == b:
        return True
    if len(a) < 4 or len(b) - len(a) > 1:
        return False
    start = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
    rest = next((i for i, (x, y) in enumerate(zip(a[::-1], b[::-1], strict=False)) if x != y), len(a))
    # Where letters repeat, both ends may claim the same one.
    end = min(rest, len(a) - start)
    cut_a, cut_b = a[start : len(a) - end], b[start : len(b) - end]
    if len(cut_b) == 2:
        return cut_a == cut_b[::-1] and cut_b.isalpha()
    return (
        len(cut_b) == 1
        and (cut_a + cut_b).isalpha()
        and not (_alone(a, start, cut_a) or _alone(b, start, cut_b))
    )


def _alone(name: str, start: int, letter: str) -> bool:
    """Whether a letter at that place is a word of its own."""
    before, after = name[:start], name[start + len(letter) :]
    return bool(letter) and before[-1:] in ("", "_") and after[:1] in ("", "_")
