"""Releases as tables."""

from __future__ import annotations

from collections.abc import Sequence

from fleetcast.cli.output import say_line, say_next
from fleetcast.cli.plain_rich import Console, Text
from fleetcast.cli.tables import Cell, Table, an_id, moments, numbers, show, words
from fleetcast.domain.wording import counted
from fleetcast.pipeline.qa import Checked
from fleetcast.views.moments import shown
from fleetcast.views.releases import outline_in_words
from fleetcast.workflows.inspect_releases import EndpointRow, History, ReleaseShown

NOTHING_RELEASED = "Nothing was released yet; once models are promoted:"
DEPLOYS = "fleetcast deploy test"


def print_checked(found: Sequence[Checked], console: Console) -> None:
    """What each version did with recent readings."""
    columns = (
        an_id("circuit"),
        an_id("model", goes=2),
        moments("newest reading", goes=1),
        words("skill in the last week"),
        words("forecast"),
    )
    rows = [
        (
            str(one.key),
            str(one.model),
            one.newest_reading,
            ", ".join(f"{sensor} {value:.2f}" for sensor, value in one.skill.items()) or "not measured",
            Text(one.why_not, "red") if one.why_not else Text("can be true", "green"),
        )
        for one in found
    ]
    show(Table(columns, rows), console)


def print_endpoints(rows: Sequence[EndpointRow], console: Console) -> None:
    """One line for each plant in each environment."""
    columns = (
        an_id("endpoint"),
        numbers("live"),
        numbers("newest"),
        numbers("circuits"),
        an_id("environment", goes=1),
        moments("composed", goes=3),
        words("by", goes=2),
    )
    table = Table(columns, [_endpoint(row) for row in rows], empty=NOTHING_RELEASED, then=DEPLOYS)
    show(table, console)
    if rows:
        serving = sum(1 for row in rows if row.live is not None)
        said = f"\n{counted(len(rows), 'endpoint')}, {serving} serving. One:"
        say_next(console, said, "fleetcast releases show ENV/PLANT")


def _endpoint(row: EndpointRow) -> tuple[Cell, ...]:
    one = row.live or row.newest
    return (
        str(row.endpoint),
        None if row.live is None else Text(str(row.live.number), "green"),
        str(row.newest.number),
        len(one.release.circuits),
        one.release.environment_version,
        one.composed_at,
        one.composed_by,
    )


def print_history(history: History, console: Console) -> None:
    """One line for each release."""
    columns = (
        an_id("release"),
        numbers("circuits"),
        an_id("environment", goes=1),
        an_id("digest"),
        moments("composed", goes=3),
        words("by", goes=2),
    )
    rows = [
        (
            Text(f"{one.number} live", "green") if one.number == history.live else str(one.number),
            len(one.release.circuits),
            one.release.environment_version,
            one.release.digest.short,
            one.composed_at,
            one.composed_by,
        )
        for one in history.releases
    ]
    show(Table(columns, rows, title=str(history.endpoint)), console)


def print_release(release: ReleaseShown, console: Console) -> None:
    """All that a release holds."""
    one = release.release
    serves = Text(" live", "green") if release.is_live else Text(" serves nothing", "dim")
    console.print(Text(str(one), "bold") + serves)
    console.print(
        Text(f"{outline_in_words(one.release)}, composed {shown(one.composed_at)} by {one.composed_by}")
    )
    say_line(console, f"digest {one.release.digest.hex}\n")
    columns = an_id("circuit"), an_id("version"), an_id("training hash", goes=1), an_id("artifact", goes=2)
    rows = [
        (circuit, str(model), model.training_hash.short, model.artifact.short)
        for circuit, model in one.release.circuits.items()
    ]
    show(Table(columns, rows), console)
    for circuit in one.release.removed:
        console.print(Text(f"{circuit} was removed, and is answered with 410", "dim"))
