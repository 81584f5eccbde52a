"""Hourly readings of two plants as CSV; from one day on, the first plant runs by another rhythm.

    readings.py DAYS LAST CHANGED

DAYS of readings end where the day LAST (YYYY-MM-DD, UTC) begins, and PLANT001 runs in batches of ten hours from the
day CHANGED on. The same days give the same readings, however many are asked for after them.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np

CIRCUITS = (
    ("PLANT001", "CIRCUIT01"),
    ("PLANT001", "CIRCUIT02"),
    ("PLANT001", "CIRCUIT03"),
    ("PLANT002", "CIRCUIT01"),
)
SENSORS = {"temperature": 60.0, "pressure": 4.0}
"""What each is about."""


def readings(days: int, first: datetime, changed: datetime) -> Iterator[tuple[object, ...]]:
    """One row for each circuit and hour."""
    hours = np.arange(days * 24)
    for number, (plant, circuit) in enumerate(CIRCUITS):
        draws = np.random.default_rng(number).normal(size=(len(hours), len(SENSORS)))
        noise = np.zeros_like(draws)
        for hour in hours[1:]:
            noise[hour] = 0.6 * noise[hour - 1] + draws[hour]
        daily = np.sin(2 * np.pi * hours / 24)
        batches = 3 + 2 * (2 * (hours // 5 % 2) - 1)
        for hour in hours:
            at = first + timedelta(hours=int(hour))
            runs = batches[hour] if plant == "PLANT001" and at >= changed else daily[hour]
            values = (
                round(level * (1 + 0.05 * runs + 0.01 * float(noise[hour, place])), 4)
                for place, level in enumerate(SENSORS.values())
            )
            yield plant, circuit, at.isoformat(), *values


def main() -> None:
    """Write them to the output."""
    days, last, changed = (
        int(sys.argv[1]),
        *(datetime.fromisoformat(day).replace(tzinfo=UTC) for day in sys.argv[2:]),
    )
    out = csv.writer(sys.stdout)
    out.writerow(("plant", "circuit", "time", *SENSORS))
    out.writerows(readings(days, last - timedelta(days=days), changed))


if __name__ == "__main__":
    main()
