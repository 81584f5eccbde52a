"""A long log of one sensor is stored beside a circuit of 2,000 sensors, in the memory that it takes itself."""

from __future__ import annotations

import resource
from datetime import UTC, datetime, timedelta

from tests.found.story import Story

LONG = "it reads two hundred thousand rows three times"
ROWS, SENSORS = 200_000, 2_000
MOST_MEMORY = 1024
"""MiB, of any command; spread over all sensors, the rows alone would take three times as much."""


def tell(story: Story) -> None:
    """Two files for one table, in two commands."""
    fleet = story.fleet(days=0)
    wide = fleet.folder / "wide.csv"
    names = ",".join(f"s{number:04d}" for number in range(SENSORS))
    cells = ",".join(str(number % 50) for number in range(SENSORS))
    wide.write_text(f"time,{names}\n2025-01-01 00:00:00,{cells}\n2025-01-01 01:00:00,{cells}\n")
    start = datetime(2025, 1, 1, tzinfo=UTC)
    long = fleet.folder / "long.csv"
    rows = (f"{start + timedelta(minutes=number)},{20 + number % 7}\n" for number in range(ROWS))
    long.write_text("time,temperature\n" + "".join(rows))

    where = ("--plant", "PLANT001", "--timezone", "UTC", "--format", "json", "--circuit")
    fleet.type("ingest", str(wide), *where, "CIRCUIT02", code=0)
    stored = fleet.type("ingest", str(long), *where, "CIRCUIT01")
    found = (stored.json.get("inserted"), stored.json.get("delta_version"))
    story.expect("the long one is stored, in one commit", holds=found == (ROWS, 1), saw=found)
    again = fleet.type("ingest", str(long), *where, "CIRCUIT01").json
    story.expect("a second time it is there already", holds=again.get("unchanged") == ROWS, saw=again)

    shown = fleet.type("data", "show", "--format", "json").json.get("circuits", [])
    held = {one["circuit_id"]: (one["rows"], len(one["readings"])) for one in shown}
    right = held == {"CIRCUIT01": (ROWS, 1), "CIRCUIT02": (2, SENSORS)}
    story.expect("both are held, with their own sensors", holds=right, saw=held)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    story.expect(f"no command took more than {MOST_MEMORY} MiB", holds=peak < MOST_MEMORY, saw=f"{peak} MiB")
