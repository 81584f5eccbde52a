"""Monitoring by real commands: readings change, somebody takes it in hand, and a retrain ends it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.scenarios.repository import CIRCUIT01, ON_SQLITE, Repository

pytestmark = [pytest.mark.slow, ON_SQLITE]

START, DAYS = datetime(2025, 1, 1, tzinfo=UTC), 60
CHANGED = START + timedelta(days=57)
SENSORS = ("temperature", "vibration")
DEV = "environments:\n  dev:\n"


def ingest(fleet: Repository, folder: Path, by: float = 0.0, days: int = DAYS) -> None:
    """Bring calm readings in; those of the first circuit are shifted from one moment on."""
    hours = np.arange(days * 24)
    times = [START + timedelta(hours=int(hour)) for hour in hours]
    parts = []
    for number, circuit in enumerate(("CIRCUIT01", "CIRCUIT02")):
        draws = np.random.default_rng(number).normal(size=(len(SENSORS), len(hours)))
        moved = np.array([by if number == 0 and at >= CHANGED else 0.0 for at in times])
        wave = 20 + np.sin(2 * np.pi * hours / 24)
        values = {name: wave + draws[place] + moved for place, name in enumerate(SENSORS)}
        parts.append(
            pl.DataFrame({"plant_id": "PLANT001", "circuit_id": circuit, "timestamp": times, **values})
        )
    file = folder / "readings.parquet"
    pl.concat(parts).write_parquet(file)
    where = (
        "--plant-column",
        "plant_id",
        "--circuit-column",
        "circuit_id",
        "--timestamp-column",
        "timestamp",
    )
    done = fleet.type("ingest", str(file), *where, "--on-conflict", "last")
    assert done.code == 0, done.err


def look(fleet: Repository, days: float, *more: str) -> str:
    at = (START + timedelta(days=days)).isoformat()
    said = fleet.type("monitor", "dev", "--at", at, *more)
    assert said.code == 0, said.out + said.err
    return said.out


def test_a_change_is_found_taken_in_hand_and_over_once_a_model_knows_it(
    declared: Repository, tmp_path: Path
) -> None:
    fleet = declared
    fleet.edit("fleetcast.yaml", DEV, f"{DEV}    data_drift: 0.15\n")
    ingest(fleet, tmp_path)
    fleet.edit("config/circuits.yaml", "  delta_version: 0", "  delta_version: 1")
    fleet.declare("CIRCUIT01", "owner: Ada")
    fleet.promote()
    assert "nothing needs anybody" in look(fleet, 57)

    ingest(fleet, tmp_path, by=8.0)
    found = look(fleet, 59.9)
    assert f"[new] 1 process changed at {CIRCUIT01}" in found
    assert "owner Ada" in found
    (listed,) = fleet.type("alarms", "list", "--format", "json").json
    assert (listed["alarm_id"], listed["state"], listed["circuit_id"]) == (1, "open", "CIRCUIT01")
    assert "fleetcast alarms list" in fleet.type("status").out

    diagnosed = fleet.type("diagnose", CIRCUIT01, "--env", "dev", "--format", "json").json
    by_suspect = {one["suspect"]: one for one in diagnosed["suspicions"]}
    assert by_suspect["model"]["clues"][0]["alarm_id"] == 1
    assert by_suspect["model"]["next_command"] == f"fleetcast propose dev --circuits {CIRCUIT01}"
    assert by_suspect["data"]["clues"][0]["clue"] == "stale"
    assert "model.shared" in {entry["action"] for entry in diagnosed["changes"]}
    shown = fleet.type("diagnose", CIRCUIT01, "--env", "dev").out
    assert f"alarm 1: process changed at {CIRCUIT01}" in shown
    proposed = fleet.type("propose", "dev", "--min-gain", "-1", "--dry-run", "--format", "json").json
    assert [one["circuit_id"] for one in [*proposed["proposed"], *proposed["left"]]] == ["CIRCUIT01"]

    taken = fleet.type("alarms", "ack", "1", "--comment", "the pump was swapped")
    assert taken.code == 0, taken.err
    assert "acknowledged by" in fleet.type("alarms", "show", "1").out
    still = look(fleet, 59.95)
    assert "[new]" not in still
    assert "the pump was swapped" in still

    # The readings come back to what they were.
    ingest(fleet, tmp_path)
    assert "1 process changed" in look(fleet, 59.96)
    assert f"recovered: 1 process changed at {CIRCUIT01}" in look(fleet, 59.97)
    assert fleet.type("alarms", "list").out == "No alarm. To look again: fleetcast monitor prod\n"
    assert "recovered" in fleet.type("alarms", "list", "--all").out
    assert [action for action in fleet.audited() if action.startswith("alarm.")] == [
        "alarm.raised",
        "alarm.acknowledged",
        "alarm.recovered",
    ]
    rows = pl.read_delta(str(fleet.state / "observations"))
    assert rows["at"].n_unique() == 5
    late = fleet.type("monitor", "dev", "--at", "2025-01-30")
    assert (late.code, "which is later" in late.err) == (1, True)


def test_what_nobody_can_say_of_it_is_refused_with_the_way_out(promoted: Repository) -> None:
    for words, said in (
        (("alarms", "show", "7"), "there is no alarm 7"),
        (("alarms", "ack", "7"), "there is no alarm 7"),
        (("alarms", "snooze", "7"), "for how long"),
        (("alarms", "snooze", "7", "--for", "4h"), "there is no alarm 7"),
        (("monitor", "dev", "--circuits", "NOWHERE/*"), "NOWHERE"),
        (("monitor", "dev", "--every", "1h", "--at", "2025-02-01"), "--every"),
    ):
        refused = promoted.type(*words)
        assert (refused.code, said in refused.err) == (1, True), refused.err
