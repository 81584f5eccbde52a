"""Alarms of 50 circuits in 30 days, ours next to those of Evidently's and NannyML's defaults.

Each peer runs in an environment of its own, below `constraints/peers/`, on the same readings, those of
`simulated_plants.py`: 180 days were trained on, then one look a day. Five circuits shift in all sensors by 1.5 σ at
their 15th day. An alarm is a circuit that was none the day before; it is true where the circuit had changed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
from peer_servers import HERE, environment_of, installed
from simulated_plants import HOUR, SENSORS, START, TRAINED, readings, shifted, watched
from threadpoolctl import threadpool_limits

from fleetcast.domain.drift import Observation, Outcome
from fleetcast.forecasting.series import Floats
from fleetcast.pipeline.signals.judging import judged
from fleetcast.pipeline.signals.observing import learn, observe
from fleetcast.pipeline.signals.watched import LOOK_BACK

CIRCUITS = 50
CHANGED = range(0, 50, 10)
DAYS, CHANGE = 30, 15
FIRST = START + TRAINED + LOOK_BACK
PEERS = ("evidently", "nannyml")
PATIENCE_SECONDS = 1_800


def fleet(seed: int) -> list[Floats]:
    found = []
    for number in range(CIRCUITS):
        rng = np.random.default_rng([seed, number])
        values = readings(rng, (FIRST - START) // HOUR + DAYS * 24, 0.9)
        at = (FIRST - START) // HOUR + CHANGE * 24
        found.append(shifted(values, at, len(SENSORS), 1.5, rng) if number in CHANGED else values)
    return found


def ours(circuits: Sequence[Floats]) -> tuple[list[list[bool]], float]:
    """By circuit and day whether it is one of the causes; and seconds."""
    started = time.perf_counter()
    known = [learn(watched(number, values, FIRST), FIRST) for number, values in enumerate(circuits)]
    alarms = [[False] * DAYS for _ in circuits]
    history: list[Observation] = []
    for day in range(DAYS):
        now = FIRST + (day + 1) * timedelta(days=1)
        seen = [
            one
            for number, values in enumerate(circuits)
            for one in observe(watched(number, values, now), now, known[number])
        ]
        for finding in judged(seen, history, now):
            for one in finding.shown_by:
                if one.circuit is not None:
                    alarms[int(one.circuit.removeprefix("circuit"))][day] = True
        history += [one for one in seen if one.outcome is Outcome.BREACHED]
    return alarms, time.perf_counter() - started


def theirs(name: str, circuits: Sequence[Floats]) -> tuple[list[list[bool]], float]:
    trained = TRAINED // HOUR
    with tempfile.TemporaryDirectory() as written:
        folder = Path(written)
        for number, values in enumerate(circuits):
            ends = (FIRST - START) // HOUR - trained + (np.arange(DAYS) + 1) * 24
            np.savez(
                folder / f"{number:03d}.npz",
                sensors=np.array(SENSORS),
                reference=values[:trained],
                current=values[trained:],
                ends=ends,
            )
        programs = installed(name)
        told = subprocess.run(
            [str(programs / "python"), str(HERE / "peers" / f"monitoring_{name}.py"), str(folder)],
            env=environment_of(programs, folder),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    if told.returncode:
        raise SystemExit(f"{name} ended with {told.returncode}:\n{told.stderr[-3000:]}")
    answer = json.loads(told.stdout.splitlines()[-1])
    return answer["alarms"], answer["seconds"]


def counted(alarms: Sequence[Sequence[bool]]) -> dict[str, int]:
    raised = [
        (number, day)
        for number, days in enumerate(alarms)
        for day in range(DAYS)
        if days[day] and not (day and days[day - 1])
    ]
    true = [(number, day) for number, day in raised if number in CHANGED and day >= CHANGE]
    found = {number for number in CHANGED if any(alarms[number][CHANGE : CHANGE + 2])}
    return {"raised": len(raised), "true": len(true), "false": len(raised) - len(true), "found": len(found)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1)
    asked = parser.parse_args()
    threadpool_limits(1)
    result: dict[str, float] = {}
    numbers: dict[str, list[dict[str, float]]] = {}
    absent = {}
    for seed in range(asked.seed, asked.seed + asked.seeds):
        circuits = fleet(seed)
        for name in ("fleetcast", *(name for name in PEERS if name not in absent)):
            try:
                alarms, seconds = ours(circuits) if name == "fleetcast" else theirs(name, circuits)
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
                absent[name] = str(error)
                print(f"{name} could not be installed or measured: {type(error).__name__}", flush=True)
                continue
            said = counted(alarms)
            numbers.setdefault(name, []).append({**said, "seconds": seconds})
            print(
                f"seed {seed}, {name}: {said['raised']} alarms, {said['true']} true, {said['false']} false; "
                f"{said['found']} of {len(CHANGED)} changes found within 2 days; {seconds:.1f} s",
                flush=True,
            )
    for name, seen in numbers.items():
        for key in seen[0]:
            result[f"{name}_{key}"] = statistics.median(one[key] for one in seen)
    for name in PEERS:
        if name in numbers:
            ratios = [
                peer["seconds"] / own["seconds"]
                for peer, own in zip(numbers[name], numbers["fleetcast"], strict=False)
            ]
            result[f"{name}_times_ours"] = statistics.median(ratios)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
