"""A misspelt sensor is named when a file brings it."""

from __future__ import annotations

from tests.found.story import Story


def tell(story: Story) -> None:
    """The circuits declare `pressure`; the file says `presure`."""
    fleet = story.fleet(days=0)
    file = fleet.folder / "log.csv"
    file.write_text("time,temperature,presure\n2025-01-01T00:00:00Z,20.5,934.1\n", encoding="utf-8")
    said = fleet.type("ingest", str(file), "--plant", "PLANT001", "--circuit", "CIRCUIT01")
    story.expect("the readings are stored", holds=said.code == 0, saw=said.code)
    story.says(said, "one letter off 'pressure'", "--rename 'presure=pressure'")
