"""What a file says in a way that can be read wrongly is asked about, and not stored wrong."""

from __future__ import annotations

from tests.found.story import Fleet, Said, Story


def tell(story: Story) -> None:
    """Files after public reports of other systems' users."""
    fleet = story.fleet(days=0)
    _rows_that_lost_a_cell(story, fleet)
    _grouped_thousands(story, fleet)
    _named_zones(story, fleet)


def _rows_that_lost_a_cell(story: Story, fleet: Fleet) -> None:
    text = (
        "time,temperature,humidity,pressure\n2025-01-01 00:00,20.1,36.5,934.1\n2025-01-01 01:00,934.2,36.4\n"
    )
    refused = _ingest(fleet, text)
    story.expect("a row that lost a cell is refused", holds=refused.code == 1, saw=refused.code)
    story.says(refused, "row 3")
    dropped = _ingest(fleet, text, "--uneven-rows", "drop", "--format", "json")
    story.expect("it is left out on request", holds=dropped.json.get("inserted") == 1, saw=dropped.code)


def _grouped_thousands(story: Story, fleet: Fleet) -> None:
    text = "time;pressure\n2025-01-02 00:00;998,5\n2025-01-02 01:00;1.001,5\n"
    refused = _ingest(fleet, text, "--decimal", ",")
    story.expect("grouped thousands are asked about", holds=refused.code == 1, saw=refused.code)
    story.says(refused, "row 3", "--thousands .")
    read = _ingest(fleet, text, "--decimal", ",", "--thousands", ".", "--format", "json")
    story.expect("they are read as told", holds=read.json.get("inserted") == 2, saw=read.code)
    english = _ingest(fleet, 'time,pressure\n2025-01-03 00:00,998.5\n2025-01-03 01:00,"1,001.5"\n')
    story.expect("with a point, too", holds=english.code == 1, saw=english.code)
    story.says(english, "--thousands ,")


def _named_zones(story: Story, fleet: Fleet) -> None:
    text = "time,pressure\n2025-01-04 12:00:00 CET,1\n2025-07-04 12:00:00 CEST,2\n"
    words = ("--timestamp-format", "%Y-%m-%d %H:%M:%S %Z")
    read = _ingest(fleet, text, *words, "--format", "json").json
    saw = (read.get("first_at"), read.get("last_at"))
    right = saw == ("2025-01-04T11:00:00Z", "2025-07-04T10:00:00Z")
    story.expect("CET and CEST count", holds=right, saw=saw)
    refused = _ingest(fleet, text.replace("CET", "IST"), *words)
    story.expect("a name of several zones is refused", holds=refused.code == 1, saw=refused.code)
    story.says(refused, "IST may be", "--timezone Asia/Kolkata")


def _ingest(fleet: Fleet, text: str, *words: str) -> Said:
    """Ingest a file of this text, written in UTC."""
    file = fleet.folder / "log.csv"
    file.write_text(text, encoding="utf-8")
    print(f"\nlog.csv:\n  {text.strip().replace(chr(10), chr(10) + '  ')}")
    return fleet.type(
        "ingest", str(file), "--plant", "PLANT001", "--circuit", "CIRCUIT01", "--timezone", "UTC", *words
    )
