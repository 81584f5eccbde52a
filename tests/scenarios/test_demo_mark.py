"""A demo is one by the first entry of its log, and by nothing that anybody can set or write later."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fleetcast.app import begin_demo
from tests.scenarios.repository import Repository, write_fleet

RULE = "registry-promotion: {approvers: ['*'], minimum: 1, own_request: allowed, verified: true}"


@pytest.fixture
def fleet(tmp_path: Path) -> Repository:
    """A new fleet whose gate asks for people who have signed in; nothing was written to its database yet."""
    made = write_fleet(tmp_path / "fleet", None)
    settings = made.folder / "fleetcast.yaml"
    text = settings.read_text()
    line = next(line for line in text.splitlines() if "registry-promotion:" in line)
    settings.write_text(text.replace(line, f"  {RULE}"))
    return made


def forget(fleet: Repository) -> None:
    """As if nothing had been written."""
    for path in fleet.state.glob("control.*"):
        path.unlink()


@pytest.mark.slow
def test_in_a_demo_whoever_is_asserted_counts(fleet: Repository) -> None:
    forget(fleet)
    assert begin_demo(fleet.folder)
    assert not begin_demo(fleet.folder)
    assert fleet.type("train").code == 3
    assert fleet.type("approve", "1").code == 0
    assert fleet.type("train").code == 3
    assert fleet.type("audit", "verify").code == 0
    assert fleet.type("audit", "list", "--action", "environment.shared").out.count("environment.shared") == 1


@pytest.mark.slow
def test_nothing_makes_a_demo_of_a_fleet_that_began_as_none(
    fleet: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget(fleet)
    for name in ("FLEETCAST_DEMO", "DEMO", "FLEETCAST_MARK"):
        monkeypatch.setenv(name, "1")
    assert fleet.type("train").code == 3
    assert not begin_demo(fleet.folder)
    refused = fleet.type("approve", "1")
    assert (refused.code, "signed in" in refused.err) == (1, True), refused.err
    with closing(sqlite3.connect(fleet.state / "control.db")) as connection, connection:
        ((content,),) = connection.execute("SELECT content FROM audit WHERE number = 1").fetchall()
        entry = json.loads(content)
        entry["event"] |= {"action": "demo.began"}
        connection.execute("UPDATE audit SET content = ? WHERE number = 1", (json.dumps(entry),))
    fleet.type("approve", "1")
    said = fleet.type("train")
    assert said.code == 1
    assert "audit entry 1" in said.err
    assert "environment.shared" not in fleet.type("audit", "list", "--last", "50").out
    named = fleet.type("audit", "verify")
    assert (named.code, "audit entry 1" in named.err) == (1, True)
