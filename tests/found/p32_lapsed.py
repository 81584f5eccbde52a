"""A request that lapsed with time is lapsed wherever one looks, before any run has written that down."""

from __future__ import annotations

from pathlib import Path

from tests.found.p08_clocks import shifted_clock
from tests.found.story import Fleet, Said, Story

HOUR = 3_600

LONG = "it trains, and types two dozen commands at two times"


def tell(story: Story) -> None:
    """Nobody decides: for 31 days, and for two hours where the gate gives one."""
    clock = shifted_clock(story)
    fleet = _asked(story, "patient")
    _looked_at(story, Later(fleet, clock, 31 * 24 * HOUR))
    hasty = _asked(story, "hasty", lapses_after="1h")
    _not_waited_for(story, Later(hasty, clock, 2 * HOUR))


class Later:
    """A fleet, looked at so much later."""

    def __init__(self, fleet: Fleet, clock: Path, seconds: int) -> None:
        self._fleet = fleet
        self._environment = {"LD_PRELOAD": str(clock), "SECONDS_AHEAD": str(seconds)}

    def type(self, *words: str) -> Said:
        return self._fleet.type(*words, environment=self._environment)


def _asked(story: Story, name: str, lapses_after: str = "") -> Fleet:
    fleet = story.fleet(name, days=20)
    if lapses_after:
        fleet.edit(
            "fleetcast.yaml",
            "  registry-promotion: {",
            f"  registry-promotion: {{lapses_after: {lapses_after}, ",
        )
    fleet.type("stage", "RegisterEnvironment", code=0)
    fleet.type("stage", "PromoteEnvironment", code=3)
    return fleet


def _looked_at(story: Story, later: Later) -> None:
    shown = later.type("approvals", "show", "1")
    story.expect("it is shown as lapsed", holds="lapsed; asked by" in shown.text, saw=shown.code)
    state = later.type("approvals", "show", "1", "--format", "json").json.get("state")
    story.expect("programs are told so too", holds=state == "lapsed", saw=state)
    rows = later.type("approvals", "list", "--all", "--format", "json").json.get("requests", [])
    states = [row["state"] for row in rows]
    story.expect("the list says it", holds=states == ["lapsed"], saw=states)
    story.says(later.type("approvals", "list"), "nothing waits for approval")
    story.says(later.type("audit", "report"), "at registry-promotion, lapsed")
    _not_waited_for(story, later)
    refused = later.type("approve", "1")
    story.expect("nobody approves it any more", holds=refused.code == 1, saw=refused.code)
    story.says(refused, "is lapsed")


def _not_waited_for(story: Story, later: Later) -> None:
    planned = later.type("plan")
    story.says(planned, "promote environment")
    waits = "awaits approval" in planned.text
    story.expect("`plan` says of nothing that it awaits approval", holds=not waits)
    status = later.type("status")
    story.expect("`status` sends nobody to approve", holds=status.code == 0 and "approve" not in status.text)
