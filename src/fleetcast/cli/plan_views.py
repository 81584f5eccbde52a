"""A plan as a table."""

from __future__ import annotations

from fleetcast.cli.plain_rich import Console, Text
from fleetcast.cli.tables import Table, an_id, show, words
from fleetcast.domain.plan import Plan, UpToDate
from fleetcast.domain.since import Since
from fleetcast.views.plan import (
    assets_in_words,
    differences_in_words,
    quota_in_words,
    summary,
    unchecked_in_words,
    warnings_in_words,
)

_STYLES = {
    "train": "bold yellow",
    "reuse": "cyan",
    "up to date": "dim",
    "blocked": "red",
    "removed": "magenta",
    "register": "green",
    "promote": "green",
    "change": "yellow",
}


def print_plan(plan: Plan, console: Console, *, every: bool, since: Since | None = None) -> None:
    """Show a plan as a table; circuits that are up to date only as a number unless `every`."""
    if since is not None:
        for line in differences_in_words(since):
            console.print(Text(line))
        console.print()
    shown = [action for action in plan.circuits if every or not isinstance(action, UpToDate)]
    if shown:
        rows = [
            (str(action.key), Text(action.action, _STYLES[action.action]), action.why) for action in shown
        ]
        show(Table((an_id("circuit"), words("action"), words("why")), rows), console)
        console.print()
    for asset in assets_in_words(plan.assets):
        verb, _, what = asset.partition(" ")
        console.print(Text.assemble((verb, _STYLES[verb]), f" {what}"))
    for warning in warnings_in_words(plan):
        console.print(Text(f"warning: {warning}", style="yellow"))
    if unchecked := unchecked_in_words(plan):
        console.print(Text(unchecked, style="dim"))
    if quota := quota_in_words(plan):
        is_short = plan.quota is not None and plan.quota.fits is False
        console.print(Text(quota, style="yellow" if is_short else "dim"))
    console.print(Text(summary(plan), style="bold"))
