"""A number that no table holds is refused in one line, by each command that takes one."""

from __future__ import annotations

from tests.found.story import Story

_HUGE = "99999999999999999999"


def tell(story: Story) -> None:
    """Requests, alarms, releases, versions and entries of a number beyond all."""
    fleet = story.fleet(days=0)
    for words in (
        f"approve {_HUGE}",
        f"approvals show {_HUGE}",
        f"alarms show {_HUGE}",
        f"notifications ack {_HUGE}",
        f"releases show prod/PLANT001:{_HUGE}",
        f"rollback prod PLANT001 --to {_HUGE}",
        f"forecast PLANT001/CIRCUIT01 --model-version {_HUGE}",
        f"audit list --before {_HUGE}",
    ):
        said = fleet.type(*words.split())
        story.expect("it ends with 0, 1 or 64", holds=said.code in (0, 1, 64), saw=said.code)
        story.expect(
            "what is wrong is one error",
            holds=said.code == 0 or said.err.startswith("error: "),
            saw=said.err[:80],
        )
