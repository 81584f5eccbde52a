"""A declared sensor that the table does not have blocks its circuit; one that is unfit is said, and is a check."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta

from tests.found.story import CIRCUITS, Fleet, Story

HOURS = 40 * 24


def tell(story: Story) -> None:
    """Three circuits: one names a sensor that is not there, one has a sensor that is stuck."""
    fleet = story.fleet(circuits=3, days=0)
    _ingest(story, fleet)
    fleet.edit(CIRCUITS, "CIRCUIT02: {}", "CIRCUIT02: {features: [temperature, presure]}")
    planned = fleet.plan()
    action, why = planned.get("CIRCUIT02", ("nothing", ""))
    story.expect("plan blocks the circuit", holds=action == "blocked", saw=action)
    story.expect("plan asks about `pressure`", holds="did you mean `pressure`" in why, saw=why)
    story.expect(
        "its neighbour trains", holds=planned["CIRCUIT01"][0] == "train", saw=planned["CIRCUIT01"][0]
    )

    trained = fleet.type("train")
    story.says(trained, "1 unfit to train on (", "1 unfit sensor left out (PLANT001/CIRCUIT03: pressure)")
    names = [request["name"] for request in fleet.requests() if request["kind"] == "model"]
    story.expect("nothing is asked for the typing slip", holds="plant001-circuit02" not in names, saw=names)
    story.says(fleet.type("approvals", "list"), "✗ 1 declared sensor left out: pressure")
    story.says(fleet.type("status", "--all"), "without pressure")
    fleet.type("approve", "--passing")
    left = [request["name"] for request in fleet.requests()]
    story.expect(
        "--passing leaves the model without a sensor to a person",
        holds="plant001-circuit03" in left,
        saw=left,
    )


def _ingest(story: Story, fleet: Fleet) -> None:
    """Hourly readings of three circuits; the pressure of the third is stuck."""
    path = story.folder / "readings.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["plant_id", "circuit_id", "timestamp", "temperature", "pressure"])
        for number in (1, 2, 3):
            for hour in range(HOURS):
                moment = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
                pressure = 5.0 if number == 3 else 5 + (hour * 7919 % 100) / 100
                temperature = 20 + hour % 24 + (hour * 104729 % 97) / 97
                rows.writerow(
                    ["PLANT001", f"CIRCUIT{number:02d}", moment.isoformat(), f"{temperature:.3f}", pressure]
                )
    fleet.type("ingest", str(path), "--plant-column", "plant_id", "--circuit-column", "circuit_id", code=0)
