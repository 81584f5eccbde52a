"""Pictures of the tables that commands show, each at terminals of three widths; `make pictures` draws them."""

from __future__ import annotations

import io
import re
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text
from tests.first_impressions.eventful import MODEL, eventful_fleet
from tests.first_impressions.many_screens import screens_of
from tests.first_impressions.screens import WIDTHS

COMMANDS = {
    "data quality": "data-quality",
    "circuits list": "circuits-list",
    "models list": "models-list",
    f"models show {MODEL}": "models-show",
    "audit list --last 12": "audit-list",
    "releases list": "releases-list",
    "alarms list": "alarms-list",
}
"""What is typed, and how its picture is called."""


def draw_tables(pictures: Path) -> None:
    """Draw each command's table, the three widths below each other."""
    with tempfile.TemporaryDirectory() as folder:
        fleet = eventful_fleet(Path(folder)).opened.directory
        seen = screens_of(tuple(COMMANDS), WIDTHS, fleet)
    for words, name in COMMANDS.items():
        console = Console(
            record=True, width=max(WIDTHS), file=io.StringIO(), highlight=False, force_terminal=True
        )
        for width in WIDTHS:
            ruler = f"── {width} columns "
            console.print(Text(f"{ruler:─<{width}}", "cyan"))
            shown = seen[words, width].raw.rstrip("\n").replace(folder, "/srv/acme")
            console.print(Text.from_ansi(shown), soft_wrap=True)
            console.print()
        drawn = console.export_svg(title=f"fleetcast {words}", unique_id=name)
        (pictures / f"table-{name}.svg").write_text(self_contained(drawn), encoding="utf-8")


def self_contained(svg: str) -> str:
    """Without the fonts that Rich would load from elsewhere: the reader's own monospaced one will do."""
    return re.sub(r"@font-face \{.*?\}\s*|<!--.*?-->\s*", "", svg, flags=re.DOTALL)
