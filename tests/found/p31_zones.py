"""A clock that cannot be, an empty one and a leap second are refused with a sentence, and nothing is stored."""

from __future__ import annotations

from tests.found.story import Fleet, Said, Story

LEAP = "2016-12-31 23:59:60"


def tell(story: Story) -> None:
    """Offsets and instants that no clock shows, as options and in files."""
    fleet = story.fleet(days=0)
    for zone in ("+25:00", "-13:00", "+01:75", ""):
        refused = _ingest(fleet, "2025-01-01 00:00", "--timezone", zone)
        story.expect(f"--timezone {zone!r} is refused", holds=refused.code == 1, saw=refused.code)
        story.says(refused, "no clock is" if zone else "time zone is empty", "such as +01:00")
    cell = _ingest(fleet, "2025-01-01 00:00+25:00")
    story.expect("so is such an offset in a cell", holds=cell.code == 1, saw=cell.code)
    story.says(cell, "row 2")

    leap = _ingest(fleet, LEAP, "--timezone", "UTC")
    story.expect("a leap second in a file is refused", holds=leap.code == 1, saw=leap.code)
    story.says(leap, "row 2", "leap second")
    ways = ("--timezone", "UTC", "--timestamp-format", "%d.%m.%Y %H:%M:%S")
    formatted = _ingest(fleet, "31.12.2016 23:59:60", *ways)
    story.expect("in another format, too", holds=formatted.code == 1, saw=formatted.code)
    asked = fleet.type("audit", "list", "--since", f"{LEAP}Z")
    story.expect(
        "and in an option", holds=asked.code in (1, 64) and "leap second" in asked.text, saw=asked.code
    )

    shown = fleet.type("data", "show")
    story.expect("nothing was stored", holds=shown.code == 1 and "no readings" in shown.text, saw=shown.text)
    east = _ingest(fleet, "2025-01-01 00:00", "--timezone", "+14:00", "--format", "json").json
    story.expect(
        "the easternmost clock is read", holds=east.get("first_at") == "2024-12-31T10:00:00Z", saw=east
    )


def _ingest(fleet: Fleet, time: str, *words: str) -> Said:
    file = fleet.folder / "log.csv"
    file.write_text(f"time,temperature\n{time},20.5\n")
    return fleet.type("ingest", str(file), "--plant", "PLANT001", "--circuit", "CIRCUIT01", *words)
