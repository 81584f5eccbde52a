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


def is_sensor(name: str) -> bool:
    """Whether a name may be a sensor: a letter, then at most 63 letters, digits or '_'.

    Blanks and brackets are refused because other readers of a Delta table (Spark, SQL) refuse them or
    must quote them.
    """
    return bool(_SENSOR.fullmatch(name)) and name.lower() not in RESERVED


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
