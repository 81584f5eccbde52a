"""What a file says in a way that can be read wrongly is asked about, and not stored wrong."""

from __future__ import annotations

from tests.found.story import Fleet, Said, Story


def tell(story: Story) -> None:
    """Files after public reports of other systems' users."""
    fleet = story.fleet(days=0)
    _rows_that_lost_a_cell(story, fleet)


def _rows_that_lost_a_cell(story: Story, fleet: Fleet) -> None:
    text = (
        "time,temperature,humidity,pressure\n2025-01-01 00:00,20.1,36.5,934.1\n2025-01-01 01:00,934.2,36.4\n"
    )
    refused = _ingest(fleet, text)
    story.expect("a row that lost a cell is refused", holds=refused.code == 1, saw=refused.code)
    story.says(refused, "row 3")
    dropped = _ingest(fleet, text, "--uneven-rows", "drop", "--format", "json")
    story.expect("it is left out on request", holds=dropped.json.get("inserted") == 1, saw=dropped.code)


def _ingest(fleet: Fleet, text: str, *words: str) -> Said:
    """Ingest a file of this text, written in UTC."""
    file = fleet.folder / "log.csv"
    file.write_text(text, encoding="utf-8")
    print(f"\nlog.csv:\n  {text.strip().replace(chr(10), chr(10) + '  ')}")
    return fleet.type(
        "ingest", str(file), "--plant", "PLANT001", "--circuit", "CIRCUIT01", "--timezone", "UTC", *words
    )
