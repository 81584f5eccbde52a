"""How fast a fleet is looked at, and what its alarms are worth: how many are false, and what is missed.

Run it as `make bench ARGS=monitoring`. By itself it takes `--seed N` for fleets of its own, `--seeds N` for how many
of them, and `--circuits N` and `--days N` for smaller ones. Thresholds are those of prod and of `pipeline/signals/`.

The fleet: 1,000 circuits × 6 sensors, hourly. Each sensor's noise is an autoregression with coefficient 0.9 and
shocks of Student's distribution with 4 degrees of freedom, of standard deviation 1, to which a sine of the day of
0.3 to 1 comes and weekends that lie 0.3 to 1 higher. 180 days were trained on; then one look a day, at midnight.
σ is a sensor's own standard deviation over its training readings, rhythms included. A shift is abrupt and stays; it
begins at a look, moves each sensor up or down, and counts as found where a finding names its circuit at one of the
two looks of the next 48 hours.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing import get_context

import numpy as np
from simulated_plants import (
    CIRCUITS_OF_A_PLANT,
    HOUR,
    SENSORS,
    START,
    TRAINED,
    later,
    readings,
    shifted,
    watched,
)
from threadpoolctl import threadpool_limits

from fleetcast.domain.alarm import CauseKind, Finding
from fleetcast.domain.drift import Observation, Outcome, Signal
from fleetcast.domain.place import EnvironmentName
from fleetcast.forecasting.resampling import Grid, micros
from fleetcast.forecasting.series import Floats
from fleetcast.pipeline.signals.changes import chances_at
from fleetcast.pipeline.signals.cleaning import clean
from fleetcast.pipeline.signals.faults import fault_of
from fleetcast.pipeline.signals.judging import judged
from fleetcast.pipeline.signals.observing import Learnt, learn, observe
from fleetcast.pipeline.signals.watched import LOOK_BACK, WatchedCircuit

DAY = timedelta(days=1)
PROCESSES = 2
CHANGED = 10
UNLIKELY = 0.02
"""Looks at least as unlikely by chance as this are told in full; nothing above it opens an alarm or keeps one."""
IN_FULL = 50
LONG_CIRCUITS = 400
"""Of fleets whose memory is longer: those that change, and as many others as they have at their plants."""
RHYTHM_DAYS = 28
RHYTHM_CIRCUITS = 100
GATEWAY_SENSORS = 40
SILENT_HOURS = 15
FORGOTTEN = 3
"""Days without a finding after which the same one is a new alarm."""
SHIFTS = {"all": (6, 1.5), "one": (1, 1.5)}
"""By name: how many of six sensors move, and by how much."""


@dataclass(frozen=True)
class Task:
    """Some circuits of one simulated fleet."""

    seed: int
    numbers: range
    days: int
    memory: float
    weekly: float
    quiet: bool


@dataclass(frozen=True)
class Seen:
    """What looks at some circuits saw, by the day of the look; and at the two after something happened to them."""

    days: Sequence[Sequence[Observation]]
    happened: Mapping[str, Sequence[Sequence[Observation]]]


def told(observations: Sequence[Observation]) -> list[Observation]:
    """Without what no judgement looks at: sensors of circuits that are as ever, and what is fine."""
    whole = next(one for one in observations if one.signal is Signal.DATA_DRIFT and one.sensor is None)
    moved = whole.p_value is not None and whole.p_value < UNLIKELY
    return [
        one
        for one in observations
        if one is whole
        or (one.signal is Signal.DATA_DRIFT and moved)
        or (one.signal is not Signal.DATA_DRIFT and one.outcome is Outcome.BREACHED)
    ]


def look(task: Task) -> Seen:
    first = START + TRAINED + LOOK_BACK
    days: list[list[Observation]] = [[] for _ in range(task.days)]
    happened: dict[str, list[list[Observation]]] = {}
    for number in task.numbers:
        rng = np.random.default_rng([task.seed, number])
        values = readings(rng, (first - START) // HOUR + (task.days + 2) * 24, task.memory, task.weekly)
        known = learn(watched(number, values, first), first)
        moments = [first + day * DAY for day in range(task.days + 2)]
        skipped = task.days - 1 if not task.quiet else 0
        for day, seen in enumerate(looks(number, values, moments[skipped:], known), skipped):
            if day < task.days:
                days[day] += seen
            else:
                happened.setdefault("none", [[], []])[day - task.days].extend(seen)
        last = moments[task.days - 1]
        for name, changed in changes(number, values, last, rng).items():
            for after, seen in enumerate(looks(number, changed, moments[task.days :], known)):
                happened.setdefault(name, [[], []])[after].extend(seen)
        silent = range(min(6, max(0, GATEWAY_SENSORS - 6 * number)))
        if silent:
            now = last + DAY
            circuit = watched(number, values, now, silent=list(silent), hours=SILENT_HOURS)
            happened.setdefault("gateway", [[]])[0].extend(told(observe(circuit, now, known)))
    return Seen(days, happened)


def looks(
    number: int, values: Floats, moments: Sequence[datetime], known: Learnt
) -> Iterator[list[Observation]]:
    """What there is to tell of looks at one circuit.

    How likely chance is, is worked out for all of them at once, by the same code as for one: twice as fast. Of those
    that no judgement would call a change only one in fifty is looked at in full, to show that both say the same; of
    the others nothing but the drift of the circuit as a whole is told, which counts among those that were tested, and
    faults, which `observe` would find.
    """
    grid = Grid(micros(START), micros(START + HOUR) - micros(START), len(values))
    ends = np.array([(moment - START) // HOUR for moment in moments])
    trusted = np.ones(len(SENSORS), dtype=bool)
    at_once = chances_at(known.normal, grid, values, ends, trusted).together
    for place, (moment, chance) in enumerate(zip(moments, at_once, strict=True)):
        circuit = watched(number, values, moment)
        faults = faults_of(circuit, moment, known)
        if faults or chance < UNLIKELY or (number + place) % IN_FULL == 0:
            seen = told(observe(circuit, moment, known))
            whole = next(one for one in seen if one.signal is Signal.DATA_DRIFT and one.sensor is None)
            if not faults and not np.isclose(whole.p_value or 0.0, chance, rtol=1e-6, atol=1e-12):
                raise SystemExit(f"circuit {number} at {moment}: {whole.p_value} is not {chance}")
            yield seen
        else:
            yield [
                Observation(
                    Signal.DATA_DRIFT,
                    EnvironmentName.PROD,
                    circuit.key.plant,
                    circuit.key.circuit,
                    None,
                    moment,
                    Outcome.FINE,
                    p_value=float(chance),
                    detail={},
                )
            ]


def faults_of(circuit: WatchedCircuit, moment: datetime, known: Learnt) -> bool:
    """Whether any sensor of a circuit whose readings are all there shows a fault."""
    current = clean(circuit.current, SENSORS, circuit.limits, moment)
    since = micros(moment - known.spans.fast * known.spans.step)
    return any(
        fault_of(column, current, known.habits, known.scales, since, 12 * HOUR, moment).fault
        for column in range(len(SENSORS))
    )


def changes(number: int, values: Floats, last: datetime, rng: np.random.Generator) -> dict[str, Floats]:
    """What a circuit would read after each kind of shift; empty for those nothing happens to."""
    if number % CIRCUITS_OF_A_PLANT or number // CIRCUITS_OF_A_PLANT >= CHANGED:
        return {}
    at = (last - START) // HOUR
    return {
        name: shifted(values, at, sensors, deviations, rng) for name, (sensors, deviations) in SHIFTS.items()
    }


def fleet(
    pool: ProcessPoolExecutor,
    seed: int,
    circuits: int,
    days: int,
    memory: float,
    *,
    weekly: float = 1.0,
    quiet: bool = True,
) -> Seen:
    """All looks at one fleet."""
    chunk = 25
    tasks = [
        Task(seed, range(start, min(start + chunk, circuits)), days, memory, weekly, quiet)
        for start in range(0, circuits, chunk)
    ]
    by_day: list[list[Observation]] = [[] for _ in range(days)]
    happened: dict[str, list[list[Observation]]] = {}
    for seen in pool.map(look, tasks):
        for day, found in enumerate(seen.days):
            by_day[day] += found
        for name, looks in seen.happened.items():
            mine = happened.setdefault(name, [[] for _ in looks])
            for place, found in enumerate(looks):
                mine[place] += found
    return Seen(by_day, happened)


def breached(looks: Sequence[Sequence[Observation]]) -> list[Observation]:
    return [one for seen in looks for one in seen if one.outcome is Outcome.BREACHED]


def alarms(seen: Seen, days: range) -> int:
    """How many alarms there were, each counted once from its first look on."""
    first = START + TRAINED + LOOK_BACK
    last_seen: dict[object, int] = {}
    found = 0
    for day in days:
        for finding in judged(
            seen.days[day], breached(seen.days[max(0, day - FORGOTTEN) : day]), first + day * DAY
        ):
            found += day - last_seen.get(finding.cause, -99) > FORGOTTEN
            last_seen[finding.cause] = day
    return found


def following(seen: Seen, name: str, days: int) -> Iterator[list[Finding]]:
    """What is found at the looks after something happened, with the rest of the fleet as it is."""
    first = START + TRAINED + LOOK_BACK + (days - 1) * DAY
    so_far: list[list[Observation]] = []
    for place, changed in enumerate(seen.happened[name]):
        theirs = {(one.plant, one.circuit) for one in changed}
        rest = [one for one in seen.happened["none"][place] if (one.plant, one.circuit) not in theirs]
        so_far.append([*rest, *changed])
        history = breached([seen.days[days - 1], *so_far[:-1]])
        yield judged(so_far[-1], history, first + (place + 1) * DAY)


def found_within(seen: Seen, name: str, days: int) -> tuple[int, int]:
    """How many circuits that changed were found, and how many others."""
    theirs = {(one.plant, one.circuit) for one in seen.happened[name][0]}
    named = {
        (finding.cause.plant, finding.cause.circuit)
        for findings in following(seen, name, days)
        for finding in findings
    }
    return len(named & theirs), len(named - theirs)


def gateway_alarms(seen: Seen, days: int) -> list[Finding]:
    """The findings about the plant whose gateway died."""
    (findings,) = following(seen, "gateway", days)
    plants = {one.plant for one in seen.happened["gateway"][0]}
    return [finding for finding in findings if finding.cause.plant in plants]


# How fast

_BASE: list[tuple[Floats, datetime]] = []


def prepare(seed: int) -> None:
    first = START + TRAINED + LOOK_BACK
    rng = np.random.default_rng(seed)
    _BASE.extend((readings(rng, (first - START) // HOUR, 0.9), first) for _ in range(20))


def look_fast(numbers: range) -> tuple[list[Observation], float]:
    found = []
    for number in numbers:
        values, now = _BASE[number % len(_BASE)]
        found += observe(later(watched(number, values, now), number), now)
    return found, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def speed(circuits: int, seed: int) -> dict[str, float]:
    chunk = 50
    with ProcessPoolExecutor(PROCESSES, get_context("fork"), initializer=prepare, initargs=(seed,)) as pool:
        list(pool.map(look_fast, [range(1)] * PROCESSES))
        started = time.perf_counter()
        observations, peaks = [], {0.0}
        for found, peak in pool.map(look_fast, [range(at, at + chunk) for at in range(0, circuits, chunk)]):
            observations += found
            peaks.add(peak)
        observed = time.perf_counter() - started
        judged(observations, breached([observations]), START + TRAINED + LOOK_BACK)
        seconds = time.perf_counter() - started
        judged_cpu = seconds - observed
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    of_workers = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "circuits": circuits,
        "observations": len(observations),
        "seconds": seconds,
        "judged_s": seconds - observed,
        "cpu_s": of_workers.ru_utime + of_workers.ru_stime + judged_cpu,
        "peak_mib": own + PROCESSES * max(peaks),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--circuits", type=int, default=1_000)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--many", type=int, default=10_000, help="circuits to be looked at for speed")
    asked = parser.parse_args()
    # Two processes on two cores: none of them may start more threads.
    threadpool_limits(1)
    result = speed(asked.many, asked.seed)
    print(
        f"{asked.many:,} circuits × 6 sensors, 180 days of training readings learnt anew: {result['seconds']:.0f} s, "
        f"of which the judgement {result['judged_s']:.1f} s ({result['cpu_s']:.0f} s of processors); "
        f"peak {result['peak_mib']:,.0f} MiB"
    )
    weeks = asked.days / 7
    false, found, one, others, slower, gateways = [], [], [], [], [], []
    without, far = 0.0, 5.0
    rhythm = {without: 0, far: 0}
    with ProcessPoolExecutor(PROCESSES, get_context("fork")) as pool:
        for seed in range(asked.seed, asked.seed + asked.seeds):
            seen = fleet(pool, seed, asked.circuits, asked.days, 0.9)
            false.append(alarms(seen, range(asked.days)) / weeks)
            hits, beside = found_within(seen, "all", asked.days)
            found.append(hits)
            others.append(beside)
            one.append(found_within(seen, "one", asked.days)[0])
            gateway = gateway_alarms(seen, asked.days)
            gateways.append(
                len(gateway) if all(f.cause.kind is CauseKind.GATEWAY_DOWN for f in gateway) else -1
            )
            long = fleet(pool, seed, min(asked.circuits, LONG_CIRCUITS), 1, 0.95, quiet=False)
            slower.append(found_within(long, "all", 1)[0])
            for weekly in without, far:
                strong = fleet(
                    pool,
                    seed,
                    min(asked.circuits, RHYTHM_CIRCUITS),
                    min(asked.days, RHYTHM_DAYS),
                    0.9,
                    weekly=weekly,
                )
                rhythm[weekly] += alarms(strong, range(min(asked.days, RHYTHM_DAYS)))
            print(
                f"seed {seed}: {false[-1]:.2f} false alarms a week; of {CHANGED} circuits whose six sensors shift by "
                f"1.5 σ {hits} found ({beside} others), with memory 0.95 {slower[-1]}, with one sensor that shifts "
                f"{one[-1]}; a dead gateway of {GATEWAY_SENSORS} sensors: {gateways[-1]} alarm; weekends five times "
                f"as far: {rhythm[far]} alarms so far, without weekends {rhythm[without]}",
                flush=True,
            )
    result |= {
        "seeds": asked.seeds,
        "false_per_week": float(np.mean(false)),
        "false_per_week_worst": max(false),
        "found_least": min(found),
        "found_mean": float(np.mean(found)),
        "found_others": float(np.mean(others)),
        "found_one_sensor": float(np.mean(one)),
        "found_slower": float(np.mean(slower)),
        "gateway_least": min(gateways),
        "gateway_most": max(gateways),
        "rhythm": rhythm[far],
        "no_rhythm": rhythm[without],
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
