"""A date at the ends of the calendar is refused before anything is stored, wherever it is written."""

from __future__ import annotations

from tests.found.story import Story


def tell(story: Story) -> None:
    """Made-up readings that would end after the year 9999, and other commands that are told such times."""
    fleet = story.fleet(days=0)
    for words in (
        ("--start", "9999-12-31", "--length", "2d"),
        ("--start", "0001-01-01", "--length", "2d"),
        ("--start", "0001-01-01T00:00:00+05:00", "--length", "2d"),
        ("--start", "2150-01-01", "--length", "36525d", "--frequency", "1d"),
        ("--start", "2025-01-01", "--length", "36525d", "--frequency", "1s"),
    ):
        refused = fleet.type("simulate", "--plants", "1", "--circuits", "1", *words)
        story.expect(f"{' '.join(words)} is refused", holds=refused.code in (1, 64), saw=refused.code)
        story.expect("in one clear line", holds=_one_line(refused.err), saw=refused.err[-200:])
    shown = fleet.type("data", "show")
    story.expect("nothing was stored", holds=shown.code == 1 and "no readings" in shown.text, saw=shown.text)

    fleet.type("simulate", "--plants", "1", "--circuits", "1", "--length", "2d", code=0)
    for words in (
        ("forecast", "PLANT001/CIRCUIT01", "--at", "9999-12-31"),
        ("monitor", "dev", "--at", "0001-01-01T00:00:00+05:00"),
        ("audit", "list", "--since", "9999-12-31T23:00:00-05:00"),
        ("audit", "list", "--until", "0001-01-01"),
    ):
        refused = fleet.type(*words)
        story.expect(f"{words[-2]} {words[-1]} is refused", holds=refused.code in (1, 64), saw=refused.code)
        story.says(refused, "is not within the years")


def _one_line(said: str) -> bool:
    lines = said.strip().splitlines()
    return len(lines) == 2 and lines[0].startswith("error: ") and lines[1].startswith("  fix: ")
