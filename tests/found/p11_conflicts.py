"""Which of several readings of one time is stored is chosen, shown, and no accident of order."""

from __future__ import annotations

from tests.found.story import Story

HEADER = "time,pressure\n"
ONE = "2025-01-01T00:00:00Z,1\n"
TWO = "2025-01-01T00:00:00Z,4\n"
LATER = "2025-01-01T01:00:00Z,2\n"


def tell(story: Story) -> None:
    """Two files say different things of one hour."""
    fleet = story.fleet(days=0)
    files = [fleet.folder / name for name in ("a.csv", "b.csv")]
    for file, text in zip(files, (ONE + LATER, TWO + LATER), strict=True):
        file.write_text(HEADER + text, encoding="utf-8")
    told = ("--plant", "PLANT001", "--circuit", "CIRCUIT01", "--on-conflict")
    forth, back = [str(file) for file in files], [str(file) for file in reversed(files)]

    refused = fleet.type("ingest", *forth, *told, "refuse")
    story.expect("a conflict can be refused", holds=refused.code == 1, saw=refused.code)
    story.says(refused, "PLANT001/CIRCUIT01 2025-01-01 00:00:00 pressure: 1 (", "row 2")

    found = fleet.type("ingest", *forth, *told, "mean", "--format", "json").json
    shown = [one["value"] for conflict in found.get("first_conflicts", []) for one in conflict["readings"]]
    story.expect("the conflict is shown with its rows", holds=shown == [1, 4], saw=shown)
    again = fleet.type("ingest", *back, *told, "mean", "--format", "json").json
    unchanged = again.get("unchanged")
    story.expect("the other order writes nothing new", holds=unchanged == 2, saw=unchanged)

    late = fleet.type("ingest", forth[0], *told, "mean")
    story.expect("what is stored is nobody's mean", holds=late.code == 1, saw=late.code)
    story.says(late, "2.5 (stored)", "--on-conflict last")
