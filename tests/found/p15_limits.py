"""Forecasts and intervals stay within what sensors can read, cover what they promise, and say how old they are."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from random import Random

from tests.found.story import Story

START = datetime(2025, 1, 1, tzinfo=UTC)
AT = START + timedelta(days=10)
HOLES = (5, 6)
"""Hours after `AT` without a reading; training would close them."""


def tell(story: Story) -> None:
    """The humidity of a hall that is often as damp as air can be, next to a temperature that only ever peaks up."""
    fleet = story.fleet(
        days=0,
        features=("humidity", "temperature"),
        settings="sensor_limits: {humidity: {min: 0, max: 100}}",
    )
    (story.folder / "log.csv").write_text(_readings())
    fleet.type(
        "ingest", str(story.folder / "log.csv"), "--plant", "PLANT001", "--circuit", "CIRCUIT01", code=0
    )
    fleet.type("train", code=3)

    checks = [
        check for request in fleet.requests() for check in request["checks"] if "coverage_80" in check["name"]
    ]
    story.expect("coverage is a check, at both ends", holds=len(checks) == 2, saw=[c["says"] for c in checks])
    versions = fleet.type("models", "show", "PLANT001/CIRCUIT01", "--format", "json").json["versions"]
    mean = versions[0]["metrics"]["mean"]
    story.expect("there is no mean MAE of °C and %", holds=mean["mae"] is None, saw=mean["mae"])

    made = fleet.type("forecast", "PLANT001/CIRCUIT01", "--at", AT.isoformat(), "--format", "json").json
    humidity, temperature = made["sensors"]["humidity"], made["sensors"]["temperature"]
    most = max(max(humidity[line]) for line in ("point", "upper_80", "upper_95"))
    story.expect("no humidity above 100 %, intervals included", holds=most <= 100, saw=most)
    up = sum(
        upper - point for upper, point in zip(temperature["upper_80"], temperature["point"], strict=True)
    )
    down = sum(
        point - lower for lower, point in zip(temperature["lower_80"], temperature["point"], strict=True)
    )
    story.expect(
        "the interval reaches further to where the peaks are",
        holds=abs(up - down) > 0.05 * (up + down),
        saw=f"{up:.2f} up, {down:.2f} down",
    )
    steps = temperature["hindsight"]["steps"]
    story.expect("what came true are the readings alone", holds=steps == 12 - len(HOLES), saw=steps)
    story.expect(
        "that it lies in the past is said first",
        holds="in the past" in made["notes"][0],
        saw=made["notes"][0],
    )
    said = fleet.type("forecast", "PLANT001/CIRCUIT01", "--at", AT.isoformat(), code=0).out
    story.expect(
        "and in the first line", holds="in the past" in said.splitlines()[0], saw=said.splitlines()[0]
    )


def _readings() -> str:
    random = Random(5)  # noqa: S311  # made-up readings
    rows = ["time,humidity,temperature"]
    for hour in range(12 * 24):
        time = START + timedelta(hours=hour)
        if time - AT in [timedelta(hours=hole) for hole in HOLES]:
            continue
        humidity = min(100.0, 92 + 20 * math.sin(hour * math.pi / 12) + random.gauss(0, 9))
        temperature = 20 - 3 * math.sin(hour * math.pi / 12) + random.expovariate(0.8)
        rows.append(f"{time.isoformat()},{humidity:.2f},{temperature:.2f}")
    return "\n".join(rows) + "\n"
