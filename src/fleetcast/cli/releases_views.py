"""Releases as tables."""

from __future__ import annotations

from collections.abc import Sequence

from fleetcast.cli.plain_rich import Console, Table, Text
from fleetcast.domain.wording import counted
from fleetcast.pipeline.qa import Checked
from fleetcast.views.moments import shown
from fleetcast.views.releases import outline_in_words
from fleetcast.workflows.inspect_releases import EndpointRow, History, ReleaseShown


def print_checked(found: Sequence[Checked], console: Console) -> None:
    """What each version did with recent readings."""
    table = _table("circuit", "model", "newest reading", "skill in the last week", "forecast")
    for one in found:
        skill = ", ".join(f"{sensor} {value:.2f}" for sensor, value in one.skill.items())
        table.add_row(
            str(one.key),
            str(one.model),
            "–" if one.newest_reading is None else shown(one.newest_reading),
            skill or "not measured",
            Text(one.why_not, "red") if one.why_not else Text("can be true", "green"),
        )
    console.print(table)


def print_endpoints(rows: Sequence[EndpointRow], console: Console) -> None:
    """One line for each plant in each environment."""
    if not rows:
        console.print("Nothing was released yet.")
        return
    table = _table("endpoint", "live", "newest", "circuits", "environment", "composed (UTC)", "by")
    for row in rows:
        one = row.live or row.newest
        table.add_row(
            str(row.endpoint),
            Text("–", "dim") if row.live is None else Text(str(row.live.number), "green"),
            str(row.newest.number),
            str(len(one.release.circuits)),
            one.release.environment_version,
            shown(one.composed_at).removesuffix(" UTC"),
            one.composed_by,
        )
    console.print(table)
    serving = sum(1 for row in rows if row.live is not None)
    console.print(
        f"\n{counted(len(rows), 'endpoint')}, {serving} serving. One: fleetcast releases show ENV/PLANT"
    )


def print_history(history: History, console: Console) -> None:
    """One line for each release."""
    table = _table("release", "circuits", "environment", "digest", "composed (UTC)", "by")
    for one in history.releases:
        table.add_row(
            Text(f"{one.number} live", "green") if one.number == history.live else str(one.number),
            str(len(one.release.circuits)),
            one.release.environment_version,
            one.release.digest.short,
            shown(one.composed_at).removesuffix(" UTC"),
            one.composed_by,
        )
    console.print(Text(str(history.endpoint), style="bold"))
    console.print(table)


def print_release(release: ReleaseShown, console: Console) -> None:
    """All that a release holds."""
    one = release.release
    serves = Text(" live", "green") if release.is_live else Text(" serves nothing", "dim")
    console.print(Text(str(one), "bold") + serves)
    console.print(
        f"{outline_in_words(one.release)}, composed {shown(one.composed_at)} by {one.composed_by}",
    )
    console.print(f"digest {one.release.digest.hex}\n")
    table = _table("circuit", "version", "training hash", "artifact")
    for circuit, model in one.release.circuits.items():
        table.add_row(circuit, str(model), model.training_hash.short, model.artifact.short)
    console.print(table)
    for circuit in one.release.removed:
        console.print(Text(f"{circuit} was removed, and is answered with 410", "dim"))


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
