"""A reading near the end of what numbers can hold is no reading: it is counted, and no library warns a person."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from tests.found.story import Story

LONG = "it trains, as that is where numbers overflow"
START = datetime(2025, 1, 1, tzinfo=UTC)
HUGE = {100: "1e308", 101: "-1.7e308", 300: "1e200", 301: "-3.4028235e38", 500: "1e308"}
"""By hour; the fourth is what 32-bit loggers write for no reading."""


def tell(story: Story) -> None:
    """A log of forty days with a few of them, through every command that computes."""
    fleet = story.fleet(days=0, features=("temperature",))
    rows = ["time,temperature"]
    for hour in range(40 * 24):
        usual = f"{20 + 3 * math.sin(hour * math.pi / 12) + 0.1 * (hour % 7):.2f}"
        rows.append(f"{(START + timedelta(hours=hour)).isoformat()},{HUGE.get(hour, usual)}")
    file = fleet.folder / "log.csv"
    file.write_text("\n".join(rows) + "\n")
    where = ("--plant", "PLANT001", "--circuit", "CIRCUIT01")
    told = fleet.type("ingest", str(file), *where, "--format", "json")
    found = told.json["files"][0]["not_finite"]
    story.expect("they are counted as no readings", holds=found == len(HUGE), saw=found)
    held = fleet.type("data", "show", "--format", "json").json["circuits"][0]["readings"]["temperature"]
    story.expect("and not stored", holds=held == 40 * 24 - len(HUGE), saw=held)
    again = fleet.type("ingest", str(file), *where)
    story.says(again, f"{len(HUGE)} cells NaN, infinite or beyond ±1e30")

    said = [told, again, fleet.type("data", "quality"), fleet.type("plan"), fleet.type("train")]
    fleet.approve_all()
    said += [fleet.type("train"), fleet.type("forecast", "PLANT001/CIRCUIT01", "--at", "2025-02-05")]
    story.expect("a model is trained and forecasts", holds=said[-1].code == 0, saw=said[-1].code)
    warned = [one.err for one in said if "Warning" in one.err]
    story.expect("nobody is warned of overflows", holds=not warned, saw="".join(warned)[:300])
