"""A rig with a cycle of 60 seconds is held against repeating its last minute, and that is named."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.found.story import CIRCUITS, Story

STEPS = 2_400
BEGIN = datetime(2025, 1, 1, tzinfo=UTC)


def tell(story: Story) -> None:
    """One circuit, read every five seconds: each minute like the one before, but for a size that drifts slowly."""
    fleet = story.fleet(days=0, features=("current", "flow"))
    path = fleet.folder / CIRCUITS
    declared = path.read_text(encoding="utf-8")
    for before, after in (
        ("frequency: 1h", "frequency: 5s"),
        ("forecast_horizon: 12h", "forecast_horizon: 2min"),
        ("training_days: 35", "training_days: 1"),
        ("cutoff_date: 2025-02-07", f"cutoff_date: {_time(STEPS - 1)}"),
    ):
        if declared.count(before) != 1:
            raise AssertionError(f"{before!r} is not in {CIRCUITS}")
        declared = declared.replace(before, after)
    path.write_text(declared, encoding="utf-8")
    last_minute = _write(fleet.folder / "rig.csv")
    fleet.type(
        "ingest", str(fleet.folder / "rig.csv"), "--plant", "PLANT001", "--circuit", "CIRCUIT01", code=0
    )
    fleet.type("train", code=3)
    shown = fleet.type("models", "show", "PLANT001/CIRCUIT01", "--format", "json", code=0).json
    metrics = shown["versions"][0]["metrics"]
    naive = metrics["sensors"]["current"]["naive_mae"]
    story.expect(
        "skill is measured against an error like that of repeating the last minute",
        holds=0.5 * last_minute < naive < 1.5 * last_minute,
        saw=f"{naive:.3f}, and that of the last minute is about {last_minute:.3f}",
    )
    story.says(fleet.type("models", "show", "PLANT001/CIRCUIT01"), "season of 60 s")
    asked = [request for request in fleet.requests() if request["circuit_id"]]
    story.expect("the evidence names it", holds="season of 60 s" in str(asked), saw=f"{len(asked)} request")
    worse = (metrics["mean"]["skill"] or 0) < 0
    failed = [check for request in asked for check in request["checks"] if check["verdict"] == "failed"]
    story.expect("a model fails its check if its baseline beats it", holds=bool(failed) == worse, saw=failed)


def _time(step: int) -> str:
    return (BEGIN + timedelta(seconds=5 * step)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _write(file: Path) -> float:
    """Two hours and more of a rig; gives the mean error of repeating the last minute, two minutes ahead."""
    chance = random.Random(15)  # noqa: S311  # a made-up rig
    profile = [[chance.gauss(0, 3) for _ in range(12)] for _ in range(2)]
    lines, readings = ["time,current,flow"], []
    for step in range(STEPS):
        size = 1 + 0.3 * math.sin(step / 400)
        values = [20 + each[step % 12] * size + chance.gauss(0, 0.1) for each in profile]
        readings.append(values[0])
        lines.append(f"{_time(step)},{values[0]:.4f},{values[1]:.4f}")
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    ago = [
        abs(readings[step] - readings[step - back]) for back in (12, 24) for step in range(STEPS - 400, STEPS)
    ]
    return sum(ago) / len(ago)
