"""Run every benchmark, one after another, and write what they print to RESULTS.md.

Run it as `make bench`, or `make bench ARGS="--data ../shared/data"` to include those on public data sets.
`make bench ARGS="--against REV"` measures the working tree next to a commit instead, and fails where fleetcast has
become slower or larger. Nothing else should run on the machine meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from against import BOUND, COMPARED, NotMeasured, Task, compare, section_of, with_section

HERE = Path(__file__).parent
RESULTS = HERE / "RESULTS.md"
PACKAGES = ("numpy", "scipy", "polars", "deltalake", "sqlalchemy", "mlforecast", "lightgbm")

Result = Mapping[str, float]


@dataclass(frozen=True)
class Benchmark:
    script: str
    title: str
    promises: Callable[[Result], list[tuple[str, str, bool]]] = lambda _result: []
    """What was measured, what was promised, and whether it holds."""
    own: tuple[str, ...] = ()
    """The numbers that are fleetcast's own cost, the lower the better: what `--against` bounds."""
    syncing: Mapping[str, str] = field(default_factory=dict)
    """For one of them, the number that says how much of it is waiting for the disk."""
    smaller: tuple[str, ...] = ()
    """Arguments for `--against`: what takes less time can be measured in turn more often."""
    once: bool = False
    """Whether `--against` runs it once on each side: it takes medians by itself, over minutes."""
    alone: bool = False
    """Whether it is measured by its word alone, such as `make bench ARGS=serving`, and never compared with a commit."""
    data: str = ""
    """The folder of public data that it needs, within that of all of them."""


HISTORY_COMMANDS = {
    "plan": "plan",
    "status": "status",
    "approvals": "approvals list",
    "audit": "audit list",
    "forecast": "forecast",
}


def _alarms_of(r: Mapping[str, float], name: str) -> str:
    return (
        f"{name}: {r[f'{name}_raised']:.0f} alarms, {r[f'{name}_true']:.0f} true, {r[f'{name}_false']:.0f} false, "
        f"{r[f'{name}_found']:.0f} of 5 found within 2 days, {r[f'{name}_seconds']:.1f} s"
    )


BENCHMARKS = (
    Benchmark(
        "start_up.py",
        "Start-up",
        lambda r: [(f"`fleetcast --help` {r['help_s']:.2f} s", "at most 0.4 s", r["help_s"] <= 0.4)],
        own=("help_s",),
    ),
    Benchmark(
        "one_circuit.py",
        "One circuit: 6 sensors × 8,760 h, 168 steps ahead, intervals, one core",
        lambda r: [
            (f"{r['fleetcast_auto_ms']:.0f} ms", "at most 90 ms", r["fleetcast_auto_ms"] <= 90),
            (f"mlforecast + LightGBM takes {r['ratio']:.0f} × as long", "at least 70 ×", r["ratio"] >= 70),
        ],
        own=("fleetcast_auto_ms", "fleetcast_pooled_ms", "fleetcast_per-sensor_ms"),
    ),
    Benchmark(
        "pipeline.py",
        "200 circuits: all eight stages against a bare loop over the same fits, two processes",
        lambda r: [
            (f"{r['ratio']:.2f} × the bare loop", "at most 2 ×", r["ratio"] <= 2),
            (f"peak memory {r['peak_mib']:.0f} MiB", "under 2,048 MiB", r["peak_mib"] < 2048),
        ],
        own=("stages_s", "peak_mib"),
        syncing={"stages_s": "syncing_s"},
        smaller=("60",),
    ),
    Benchmark(
        "load_fleet.py",
        "Loading and validating 10,000 circuits",
        lambda r: [(f"{r['seconds']:.2f} s", "under 3 s", r["seconds"] < 3)],
        own=("seconds", "digest_seconds"),
    ),
    Benchmark(
        "plan_at_scale.py",
        "Planning 10,000 circuits against 10,000 registered models",
        lambda r: [
            (f"{what} on {name} {r[f'{short}_{key}_s']:.2f} s", said, r[f"{short}_{key}_s"] <= limit)
            for short, name in (("sqlite", "SQLite"), ("postgres", "PostgreSQL"))
            for key, what, said, limit in (
                ("plan", "plan", "at most 2 s", 2),
                ("nothing_to_do", "a run with nothing to do", "at most 5 s", 5),
                ("register", "registering 10,000 versions", "under 10 s", 10),
            )
        ],
        own=tuple(
            f"{where}_{what}_s"
            for where in ("sqlite", "postgres")
            for what in ("plan", "nothing_to_do", "register")
        ),
        once=True,
    ),
    Benchmark(
        "history_at_scale.py",
        "10,000 circuits with 30,000 decided requests and 1,000,000 audit entries",
        lambda r: (
            [
                (
                    f"`fleetcast {command}` {r[f'{key}_s']:.2f} s, {r[f'{key}_mib']:.0f} MiB",
                    "at most 3 s and 400 MiB",
                    r[f"{key}_s"] <= 3 and r[f"{key}_mib"] <= 400,
                )
                for key, command in HISTORY_COMMANDS.items()
            ]
            + [
                (
                    f"`fleetcast audit verify` {r['verify_s']:.1f} s, {r['verify_mib']:.0f} MiB",
                    "at most 30 s and 300 MiB",
                    r["verify_s"] <= 30 and r["verify_mib"] <= 300,
                )
            ]
        ),
        own=tuple(f"{key}_{unit}" for key in HISTORY_COMMANDS for unit in ("s", "mib")),
        once=True,
    ),
    Benchmark(
        "api.py",
        "Deciding through the API while 50 poll it, and a page of 100 among 30,000 requests",
        lambda r: [
            (f"{what} on {name} {r[f'{short}_{key}_ms']:.0f} ms", said, r[f"{short}_{key}_ms"] <= limit)
            for short, name in (("sqlite", "SQLite"), ("postgres", "PostgreSQL"))
            for key, what, said, limit in (
                ("p99", "a decision, p99,", "at most 150 ms", 150),
                ("list", "the API's list", "at most 100 ms", 100),
                ("html", "the page", "at most 100 ms", 100),
            )
        ],
        own=tuple(
            f"{where}_{what}_ms" for where in ("sqlite", "postgres") for what in ("alone", "list", "html")
        ),
    ),
    Benchmark(
        "foreign_table.py",
        "One pass over a long table of 10 M rows for 200 circuits that somebody else keeps",
        lambda r: [
            (f"{r['ratio']:.2f} × a bare polars scan", "at most 1.5 ×", r["ratio"] <= 1.5),
            (
                f"{r['ratio_same_work']:.2f} × polars doing the same work",
                "at most 1 ×",
                r["ratio_same_work"] <= 1,
            ),
            (
                f"peak memory {r['fleetcast_mib']:.0f} MiB, bare scan {r['bare_mib']:.0f} MiB",
                "at most 1.5 ×",
                r["fleetcast_mib"] <= 1.5 * r["bare_mib"],
            ),
        ],
        own=("fleetcast_s", "fleetcast_mib"),
        once=True,
    ),
    Benchmark(
        "edit_at_scale.py",
        "Bumping 9,999 of 10,000 circuits, comments kept",
        lambda r: [(f"{r['bump_s']:.2f} s", "under 10 s", r["bump_s"] < 10)],
        own=("bump_s", "format_s"),
    ),
    Benchmark(
        "serving.py",
        "Serving 200 models, one worker, 16 connections, next to MLServer and BentoML",
        lambda r: [
            (
                f"{r['fleetcast_per_second']:.0f} requests/s",
                "at least 2,000",
                r["fleetcast_per_second"] >= 2_000,
            ),
            (f"p99 {r['fleetcast_p99_ms']:.1f} ms", "at most 15 ms", r["fleetcast_p99_ms"] <= 15),
            (f"{r['ratio_mlserver']:.1f} × MLServer", "at least 5 ×", r["ratio_mlserver"] >= 5),
            (f"{r['ratio_mlserver_tuned']:.1f} × MLServer without its worker", "reported", True),
            (f"{r['ratio_bentoml']:.1f} × BentoML", "at least 10 ×", r["ratio_bentoml"] >= 10),
            (f"first answer after {r['first_answer_s']:.2f} s", "at most 2 s", r["first_answer_s"] <= 2),
            (f"{r['mib_with_200']:.0f} MiB with 200 models", "at most 200 MiB", r["mib_with_200"] <= 200),
            (
                f"{r['swaps']:.0f} swaps: {r['swap_errors']:.0f} failed, {r['swap_mixed']:.0f} mixed answers",
                "none failed, none mixed",
                not r["swap_errors"] and not r["swap_mixed"] and r["swap_versions"] == 2,
            ),
            (
                f"a rolled back circuit's last answer after {r['rollback_circuit_s']:.2f} s",
                "at most 2 s",
                r["rollback_circuit_s"] <= 2,
            ),
            (
                f"a rolled back fleet's last answer after {r['rollback_fleet_s']:.2f} s",
                "at most 10 s",
                r["rollback_fleet_s"] <= 10,
            ),
        ],
        alone=True,
    ),
    Benchmark(
        "many_served.py",
        "10,000 circuits behind one server within 2 GiB",
        lambda r: [
            (
                f"{r['circuits']:,.0f} circuits answered, {r['peak_mib']:,.0f} MiB",
                "at most 2,048 MiB",
                r["peak_mib"] <= 2_048,
            )
        ],
        alone=True,
    ),
    Benchmark(
        "batch_scoring.py",
        "Forecasts of 10,000 circuits × 6 sensors × 168 steps into a Delta table, two processes",
        lambda r: [
            (f"{r['seconds']:.1f} s", "under 60 s", r["seconds"] < 60),
            (
                f"{r['rows']:,.0f} rows, {r['by_model']:,.0f} sensors by their own model",
                "all of them",
                r["rows"] == r["circuits"] * 6 * 168 and r["by_model"] == r["circuits"] * 6,
            ),
            (
                f"largest process {r['largest_process_mib']:.0f} MiB",
                "three of them under 3 GiB",
                3 * r["largest_process_mib"] < 3 * 1024,
            ),
        ],
        alone=True,
    ),
    Benchmark(
        "azure_requests.py",
        "Requests to Azure ML for 200 circuits, each command a process of its own",
        lambda r: [
            *(
                (f"{said} {r[f'{key}_requests']:.0f}", "at most 20", r[f"{key}_requests"] <= 20)
                for key, said in (
                    ("plan", "a plan of what was never trained"),
                    ("plan_waiting", "a plan while all waits for approval"),
                    ("plan_idle", "a plan of what is up to date"),
                )
            ),
            *(
                (
                    f"{said} {r[f'{key}_many']:.0f} where nothing is to do, {r[f'{key}_few']:.0f} with 20 circuits",
                    "the same",
                    r[f"{key}_many"] == r[f"{key}_few"],
                )
                for key, said in (("plan_idle", "a plan"), ("train_idle", "all stages"))
            ),
            (
                f"a registration from a job's output {r['registration']:.2f}",
                "at most 3",
                r["registration"] <= 3,
            ),
            (
                f"a share {r['share']:.2f}, with looks at its operation {r['share_with_looks']:.2f}",
                "at most 9",
                r["share"] <= 9,
            ),
            (
                f"lookups of the workspace {r['workspace_lookups']:.0f}, of the registry {r['discovery_lookups']:.0f}",
                "at most one a command",
                max(r["workspace_lookups"], r["discovery_lookups"]) <= 1,
            ),
            (
                f"plain SDK calls for each circuit ask {r['ratio_plan']:.0f} × as often as the dearest plan",
                "reported",
                True,
            ),
            (f"the SDK's own share {r['ratio_share']:.2f} × as often", "reported", True),
        ],
        alone=True,
    ),
    Benchmark(
        "monitoring_at_scale.py",
        "`fleetcast monitor` of 10,000 circuits, the whole command, two processes and the one that asks them",
        lambda r: [
            (
                f"a later look {r['later_s']:.0f} s, {r['later_cpu_s']:.0f} s of processors",
                "under 120 s",
                r["later_s"] < 120,
            ),
            (
                f"the first look {r['first_s']:.0f} s, {r['first_cpu_s']:.0f} s of processors",
                "reported: it learns what is normal, once for each deployed version",
                True,
            ),
            (
                f"peak memory {max(r['first_mib'], r['later_mib']):,.0f} MiB",
                "under 2,048 MiB",
                max(r["first_mib"], r["later_mib"]) < 2_048,
            ),
        ],
        alone=True,
    ),
    Benchmark(
        "monitoring.py",
        "Looking at 10,000 circuits, and what the alarms of a simulated fleet of 1,000 are worth, two processes",
        lambda r: [
            (
                f"{r['circuits']:,.0f} circuits × 6 sensors in {r['seconds']:.0f} s",
                "under 120 s",
                r["seconds"] < 120,
            ),
            (f"peak memory {r['peak_mib']:,.0f} MiB", "under 2,048 MiB", r["peak_mib"] < 2_048),
            (
                f"{r['false_per_week_worst']:.2f} false alarms a week at worst, {r['false_per_week']:.2f} on average",
                "at most 1 in each of 20 fleets",
                r["false_per_week_worst"] <= 1,
            ),
            (
                f"of 10 that shift by 1.5 σ, {r['found_least']:.0f} found at worst, {r['found_mean']:.1f} on average",
                "at least 9 in each of 20 fleets, within 2 days",
                r["found_least"] >= 9,
            ),
            (
                f"a dead gateway of 40 sensors: {r['gateway_least']:.0f} to {r['gateway_most']:.0f} alarms",
                "exactly one",
                r["gateway_least"] == r["gateway_most"] == 1,
            ),
            (
                f"weekends five times as far, for 4 weeks: {r['rhythm']:.0f} alarms, without {r['no_rhythm']:.0f}",
                "none",
                r["rhythm"] == 0,
            ),
            (f"with memory 0.95 instead of 0.9, {r['found_slower']:.1f} of 10 found", "reported", True),
            (f"with one of six sensors that shifts, {r['found_one_sensor']:.1f} of 10", "reported", True),
        ],
        alone=True,
    ),
    Benchmark(
        "monitoring_peers.py",
        "Alarms of 50 circuits in 30 days of which five change, next to Evidently's and NannyML's defaults",
        lambda r: [
            (_alarms_of(r, name), "reported", True)
            if f"{name}_raised" in r
            else (f"{name} could not be installed or measured", "reported", True)
            for name in ("fleetcast", "evidently", "nannyml")
        ],
        alone=True,
    ),
    Benchmark("ett_accuracy.py", "Accuracy on ETT, the published protocol", own=("fit_s",), data="etth"),
)


SETS = {
    "serving": ("serving.py", "many_served.py", "batch_scoring.py"),
    "azure": ("azure_requests.py",),
    "monitoring": ("monitoring_at_scale.py", "monitoring.py", "monitoring_peers.py"),
}
"""By word, benchmarks that are measured alone, and their part of RESULTS.md."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder of the public data sets, for ett_accuracy.py")
    parser.add_argument(
        "what",
        nargs="?",
        choices=sorted(SETS),
        help="measure these, and write their part of RESULTS.md anew; exits 1 where a promise is missed",
    )
    parser.add_argument("--only", metavar="SCRIPT,…", help="only these; RESULTS.md is left as it is")
    parser.add_argument("--against", metavar="REV", help=f"compare with this commit; bound {BOUND:g} ×")
    parser.add_argument("--rounds", type=int, default=3, help="of each side, with --against; default 3")
    asked = parser.parse_args()
    if asked.rounds < 1:
        parser.error("--rounds must be at least 1")
    if asked.what:
        sys.exit(_measure_set(asked.what))
    try:
        chosen = _chosen(asked.only)
    except KeyError as unknown:
        known = ", ".join(benchmark.script for benchmark in BENCHMARKS)
        parser.error(f"there is no {unknown.args[0]}, only {known}")
    if asked.against:
        sys.exit(_against(asked.against, chosen, asked.rounds, asked.data, write=not asked.only))
    _measure(chosen, asked.data, write=not asked.only)


def _chosen(only: str | None) -> Sequence[Benchmark]:
    if not only:
        return [benchmark for benchmark in BENCHMARKS if not benchmark.alone]
    known = {benchmark.script.removesuffix(".py"): benchmark for benchmark in BENCHMARKS}
    return [known[name.strip().removesuffix(".py")] for name in only.split(",")]


def _arguments(benchmark: Benchmark, data: Path | None) -> list[str] | None:
    """What its script is given; None where it lacks its data."""
    if not benchmark.data:
        return []
    if data is None:
        print(f"left out: {benchmark.script} needs --data FOLDER")
        return None
    return [str(data.resolve() / benchmark.data)]


def _against(
    revision: str, chosen: Sequence[Benchmark], rounds: int, data: Path | None, *, write: bool
) -> int:
    """Measure both sides, and return the exit code."""
    tasks = [
        Task(
            benchmark.script,
            benchmark.own,
            (*benchmark.smaller, *arguments),
            benchmark.syncing,
            benchmark.once,
        )
        for benchmark in chosen
        if (arguments := _arguments(benchmark, data)) is not None
    ]
    left_out = [benchmark.script for benchmark in chosen if benchmark.data and data is None]
    try:
        found = compare(revision, tasks, rounds)
        found.notes += [f"{script} was left out: it needs `--data FOLDER`" for script in left_out]
    except NotMeasured as error:
        print(f"nothing was compared: {error}", file=sys.stderr)
        return 1
    section = found.section(_machine())
    print("\n" + section)
    if write:
        RESULTS.write_text(with_section(_results(), section, COMPARED), encoding="utf-8")
        print("wrote benchmarks/RESULTS.md")
    for missed in found.missed:
        print(f"missed: {missed}", file=sys.stderr)
    return 1 if found.missed else 0


def _measure(chosen: Sequence[Benchmark], data: Path | None, *, write: bool) -> None:
    rows, sections = [], []
    for benchmark in chosen:
        arguments = _arguments(benchmark, data)
        if arguments is None:
            sections.append(f"## {benchmark.title}\n\nNot run: it needs `--data FOLDER`.\n")
            continue
        output = _run(benchmark, arguments)
        *shown, last = output.rstrip().splitlines()
        for measured, promised, holds in benchmark.promises(json.loads(last)):
            rows.append(f"| {benchmark.title} | {measured} | {promised} | {'yes' if holds else '**no**'} |")
        sections.append(
            f"## {benchmark.title}\n\n`benchmarks/{benchmark.script}`\n\n```\n" + "\n".join(shown) + "\n```\n"
        )
    if write:
        titles = [COMPARED, *map(_title, SETS)]
        earlier = [section for title in titles if (section := section_of(_results(), title))]
        RESULTS.write_text(_page(rows, [*sections, *earlier]), encoding="utf-8")
        print("wrote benchmarks/RESULTS.md")
    else:
        print("\n".join(rows))


def _measure_set(word: str) -> int:
    """Measure benchmarks that belong together; gives how many of their promises are missed."""
    rows, sections, missed = [], [], 0
    for benchmark in BENCHMARKS:
        if benchmark.script not in SETS[word]:
            continue
        *shown, last = _run(benchmark, []).rstrip().splitlines()
        for measured, promised, holds in benchmark.promises(json.loads(last)):
            rows.append(f"| {benchmark.title} | {measured} | {promised} | {'yes' if holds else '**no**'} |")
            missed += not holds
        sections += [f"`benchmarks/{benchmark.script}`\n", "```", *shown, "```", ""]
    said = f"Written by `make bench ARGS={word}` on {datetime.now(UTC):%Y-%m-%d}. {_machine()}"
    table = ["| what | measured | promised | holds |", "|---|---|---|---|", *rows]
    section = "\n".join([_title(word), "", said, "", *table, "", *sections])
    RESULTS.write_text(with_section(_results(), section, _title(word)), encoding="utf-8")
    print("\n".join(table))
    print("wrote benchmarks/RESULTS.md")
    return 1 if missed else 0


def _title(word: str) -> str:
    return f"## Measured alone: {word}"


def _results() -> str:
    return RESULTS.read_text(encoding="utf-8") if RESULTS.is_file() else ""


def _run(benchmark: Benchmark, arguments: list[str]) -> str:
    """Run its script, and give on what it prints as it does."""
    print(f"── {benchmark.script}", flush=True)
    words = [sys.executable, "-u", str(HERE / benchmark.script), *arguments]
    lines = []
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode:
        raise SystemExit(f"{benchmark.script} ended with {process.returncode}")
    return "".join(lines)


def _page(rows: list[str], sections: list[str]) -> str:
    head = [
        "# Benchmark results",
        "",
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}. {_machine()}",
        "",
        "| what | measured | promised | holds |",
        "|---|---|---|---|",
        *rows,
        "",
    ]
    return "\n".join(head) + "\n" + "\n".join(sections)


def _machine() -> str:
    cpu = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    cores = len(os.sched_getaffinity(0))
    return f"{cpu}, {cores} cores, {memory:.0f} GiB, Python {platform.python_version()}, {versions}."


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


if __name__ == "__main__":
    main()
