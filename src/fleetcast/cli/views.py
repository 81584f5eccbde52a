"""How results are shown, whatever they are."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from typing import TYPE_CHECKING

from fleetcast.domain.canonical import Json

if TYPE_CHECKING:
    from rich.console import Console


class View(StrEnum):
    """For people, or for programs."""

    TEXT = "text"
    JSON = "json"


def show_json(value: Json) -> None:
    """Write a value as indented JSON to standard output."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def console() -> Console:
    """Standard output for tables and colours; wide plain text where it is not a terminal."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 200)
