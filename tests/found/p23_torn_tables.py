"""A table that lost a part of itself is said to have, with the file and what to do, own or somebody else's."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.found.story import Fleet, Story

COMMIT = "_delta_log/00000000000000000001.json"
HINT = "_delta_log/_last_checkpoint"

LONG = "it damages tables in nine ways, and asks of each"


def tell(story: Story) -> None:
    """A table of two commits with one thing wrong at a time; the same folder as the table of another fleet."""
    fleet = story.fleet(days=2)
    fleet.type("simulate", "--plants", "2", "--circuits", "1", "--length", "2d", code=0)
    table = fleet.state / "readings"
    other = story.fleet("other", days=0)
    theirs = f"data_sources:\n  theirs:\n    kind: delta\n    path: {table}\n    layout: wide"
    other.edit("fleetcast.yaml", "data_sources:\n", f"{theirs}\n")
    other.edit("config/circuits.yaml", "data_source: readings", "data_source: theirs")
    whole = story.folder / "whole"
    shutil.copytree(table, whole)
    data = next(one for one in table.rglob("*.parquet") if "PLANT001" in str(one)).relative_to(table)

    for what, file, spoil, fix in (
        ("names a checkpoint that is not there", HINT, _hint, "remove that file"),
        ("is torn", COMMIT, _cut(100), "from a backup"),
        ("is torn", COMMIT, _cut(0), "from a backup"),
        ("is not there", str(data), Path.unlink, "from a backup"),
        ("bytes that were written", str(data), _cut(500), "from a backup"),
    ):
        spoil(table / file)
        print(f"\nin the table: {file} {what}")
        for told in (fleet, other):
            _look(story, told, table, file, what, fix)
        shutil.rmtree(table)
        shutil.copytree(whole, table)
    shown = fleet.type("data", "show", "--format", "json").json.get("circuits", [])
    story.expect("whole again, it is read", holds=len(shown) == 2, saw=len(shown))


def _look(story: Story, fleet: Fleet, table: Path, file: str, what: str, fix: str) -> None:
    words = ("--source", "theirs") if fleet.folder.name == "other" else ()
    said = fleet.type("data", "show", *words)
    story.expect("it ends with 1", holds=said.code == 1, saw=said.code)
    lines = said.err.strip().splitlines()
    right = len(lines) == 2 and str(table.name) in lines[0] and file in lines[0] and what in lines[0]
    story.expect("one line names table, file and damage", holds=right, saw=said.err[:400])
    story.says(said, fix)


def _hint(path: Path) -> None:
    path.write_text('{"version":17,"size":3}')


def _cut(size: int) -> Callable[[Path], None]:
    return lambda path: os.truncate(path, size)
