"""Measure the working tree next to an earlier commit: both in turn, on the same machine, with the same packages.

Each side runs its own scripts on its own sources. What fleetcast itself costs may grow by a tenth at most; what a
peer costs is shown as well, because it says how steady the machine was.
"""

from __future__ import annotations

import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[1]
BOUND = 1.10
TIME_OR_MEMORY = re.compile(r"(^|_)(s|ms|seconds|mib)(_|$)")
COMPARED = "## Against "
"""How the section of RESULTS.md begins."""

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class Task:
    """A benchmark's script, and which numbers of its JSON are fleetcast's own cost; lower is better."""

    script: str
    own: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    syncing: Mapping[str, str] = field(default_factory=dict)
    """For a number of its own, which other one says how much of it is waiting for the disk: that is what a promise to
    lose nothing costs, so it is shown, and the bound holds for the rest."""
    once: bool = False
    """Run once on each side, as it takes medians by itself, over minutes."""


class NotMeasured(Exception):
    """A script did not come to its end, or does not print what is compared."""


@dataclass(frozen=True)
class Side:
    """One state of the sources."""

    name: str
    root: Path

    def has(self, script: str) -> bool:
        return (self.root / "benchmarks" / script).is_file()

    def prepare(self) -> None:
        """Compile everything, lest one side's first process has to, and see that this side measures itself."""
        folders = [name for name in ("src", "benchmarks") if (self.root / name).is_dir()]
        self._python("-m", "compileall", "-q", *folders)
        imported = Path(self._python("-c", "import fleetcast; print(fleetcast.__file__)").strip())
        if not imported.is_relative_to(self.root / "src"):
            raise NotMeasured(f"{self.name} would measure {imported}")

    def measure(self, task: Task) -> Numbers:
        """Run the script; the last line that it prints holds its numbers."""
        told = self._python(str(self.root / "benchmarks" / task.script), *task.arguments)
        result = json.loads(told.rstrip().splitlines()[-1])
        return {
            key: value
            for key, value in result.items()
            if isinstance(value, int | float) and (key in task.own or TIME_OR_MEMORY.search(key))
        }

    def _python(self, *arguments: str) -> str:
        paths = [str(self.root / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
        done = subprocess.run(
            [sys.executable, *arguments],
            check=False,
            cwd=self.root,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            lines = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()
            raise NotMeasured(f"exit code {done.returncode} at {self.name}: {lines[-1]}")
        return done.stdout


@dataclass(frozen=True)
class Row:
    """One number on both sides, as last measured; a number is missed where each set of rounds says so.

    Sides are compared round by round, as a machine is slower for minutes at times: the ratio is the median of theirs.
    """

    script: str
    key: str
    bounded: bool
    here: float
    """Median."""
    there: float | None
    ratio: float | None = None
    """Without what syncing costs; None where there is nothing to divide by."""
    earlier: tuple[float, ...] = ()
    """The ratios of the sets of rounds before this one."""
    raw: float | None = None
    """With it, where a part of the number is syncing."""

    @property
    def missed(self) -> bool:
        ratio = self.ratio
        return self.bounded and ratio is not None and all(one > BOUND for one in (*self.earlier, ratio))

    def cells(self) -> Iterator[str]:
        yield self.script
        yield f"`{self.key}`"
        yield f"{self.here:.4g}"
        yield "not there" if self.there is None else f"{self.there:.4g}"
        shown = [*self.earlier, *([] if self.ratio is None else [self.ratio])]
        said = ", again ".join(f"{ratio:.2f}" for ratio in shown) or "–"
        if self.raw is not None:
            said += f" without syncing, {self.raw:.2f} with it"
        yield said
        yield f"{BOUND:.2f}" if self.bounded and self.ratio is not None else ""
        yield "" if not self.bounded or self.ratio is None else "**no**" if self.missed else "yes"


@dataclass
class Comparison:
    """Everything that was found."""

    revision: str
    commit: str
    rounds: int
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    """Scripts of the working tree without a measurement: that is not the same as holding."""

    @property
    def missed(self) -> Sequence[str]:
        """What does not hold, for people."""
        rows = [
            f"{row.script}: {row.key} is {row.ratio:.2f} × {self.revision}" for row in self.rows if row.missed
        ]
        return [*rows, *self.failures]

    def section(self, machine: str) -> str:
        """For RESULTS.md."""
        head = ("benchmark", "number", "working tree", self.revision, "ratio", "bound", "holds")
        written = (
            f"Written by `make bench ARGS='--against {self.revision}'` on {datetime.now(UTC):%Y-%m-%d}: {_state()} "
            f"next to {self.commit[:12]}, in turn: medians of {self.rounds}, and of the ratios of each round. {machine}"
        )
        lines = [
            f"{COMPARED}{self.revision}",
            "",
            written,
            "",
            *(
                f"| {' | '.join(cells)} |"
                for cells in (head, ["---"] * len(head), *map(Row.cells, self.rows))
            ),
            "",
            *(f"- {note}" for note in self.notes),
            *(f"- **{missed}**" for missed in self.missed),
        ]
        return "\n".join(lines).rstrip() + "\n"


def compare(revision: str, tasks: Sequence[Task], rounds: int) -> Comparison:
    """Measure both sides.

    Raises:
        NotMeasured: There is no such commit here, or one side would not measure itself.
    """
    commit = _git("rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}")
    found = Comparison(revision, commit, rounds)
    with _worktree(commit) as folder:
        here, there = Side("the working tree", ROOT), Side(revision, folder)
        found.notes += _other_packages(there)
        print("\n".join(found.notes), flush=True)
        for side in (here, there):
            side.prepare()
        for task in tasks:
            _compare_one(found, task, here, there)
    return found


def _compare_one(found: Comparison, task: Task, here: Side, there: Side) -> None:
    sides = [here]
    if not there.has(task.script):
        found.notes.append(f"{task.script} does not exist at {there.name}: measured here only")
    else:
        sides.append(there)
        if _text(here, task.script) != _text(there, task.script):
            found.notes.append(f"{task.script} itself has changed since {there.name}: each side ran its own")
    try:
        # Without the other side there is nothing to be fair to.
        rounds = 1 if task.once or len(sides) == 1 else found.rounds
        rows = _rows(task, _rounds(task, sides, rounds))
        if any(row.missed for row in rows):
            print("   over the bound: measuring it once more, lest it was chance", flush=True)
            missed = ", ".join(row.key for row in rows if row.missed)
            found.notes.append(f"{task.script} was measured twice, as {missed} missed the bound at first")
            first = {row.key: row.ratio for row in rows if row.ratio is not None}
            rows = [
                replace(row, earlier=(first[row.key],)) if row.key in first else row
                for row in _rows(task, _rounds(task, sides, rounds))
            ]
        elif task.once and len(sides) > 1:
            found.notes.append(f"{task.script} was run once on each side: it takes medians by itself")
    except NotMeasured as error:
        found.failures.append(f"{task.script} could not be measured: {error}")
        print(f"   {error}", flush=True)
        return
    found.rows += rows
    gone = [row.key for row in rows if row.bounded and row.there is None]
    if gone and len(sides) > 1:
        found.notes.append(f"{task.script} at {there.name} does not print {', '.join(gone)}")


def _rounds(task: Task, sides: Sequence[Side], rounds: int) -> Sequence[Sequence[Numbers]]:
    """What each side measured in each round; who is first takes turns."""
    measured: list[list[Numbers]] = [[] for _ in sides]
    for number in range(1, rounds + 1):
        pairs = list(zip(sides, measured, strict=True))
        for side, results in pairs if number % 2 else reversed(pairs):
            results.append(side.measure(task))
            shown = ", ".join(f"{key} {results[-1][key]:.4g}" for key in task.own if key in results[-1])
            print(f"── {task.script}, round {number} of {rounds}, {side.name}: {shown}", flush=True)
    return measured


def _rows(task: Task, measured: Sequence[Sequence[Numbers]]) -> list[Row]:
    here = measured[0]
    if absent := set(task.own) - set(here[0]):
        raise NotMeasured(f"it does not print {', '.join(sorted(absent))}")
    ordered = [*task.own, *(key for key in here[0] if key not in task.own)]
    return [_row(task, key, here, measured[1] if len(measured) > 1 else []) for key in ordered]


def _row(task: Task, key: str, here: Sequence[Numbers], there: Sequence[Numbers]) -> Row:
    ours, theirs = ([one[key] for one in side if key in one] for side in (here, there))
    waits = task.syncing.get(key, "")

    def ratio(waiting: str) -> float | None:
        found = [
            (one[key] - one.get(waiting, 0)) / (other[key] - other.get(waiting, 0))
            for one, other in zip(here, there, strict=False)
            if key in other and other[key] > other.get(waiting, 0)
        ]
        return statistics.median(found) if found else None

    return Row(
        task.script,
        key,
        key in task.own,
        statistics.median(ours),
        statistics.median(theirs) if theirs else None,
        ratio(waits),
        raw=ratio("") if any(one.get(waits) for one in here) else None,
    )


def with_section(page: str, section: str, title: str) -> str:
    """A page of results with this section, in the place of an earlier one with this title."""
    parts = re.split(r"^(?=## )", page, flags=re.MULTILINE)
    kept = [part.rstrip() + "\n" for part in parts if not part.startswith(title)]
    return "\n".join([*kept, section])


def section_of(page: str, title: str) -> str:
    """The section with this title as it stands in a page; empty where there is none."""
    parts = re.split(r"^(?=## )", page, flags=re.MULTILINE)
    return next((part for part in parts if part.startswith(title)), "")


@contextmanager
def _worktree(commit: str) -> Iterator[Path]:
    """The commit's files in a temporary folder; gone afterwards, whatever happens."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder).resolve() / "fleetcast"
            try:
                _git("worktree", "add", "--quiet", "--detach", str(path), commit)
                yield path
            finally:
                remove = ["git", "worktree", "remove", "--force", str(path)]
                subprocess.run(remove, check=False, cwd=ROOT, capture_output=True)
    finally:
        signal.signal(signal.SIGTERM, before)


def _other_packages(there: Side) -> list[str]:
    """What the commit asked to be installed and the working tree does not, or the other way round."""
    notes = []
    for name, read in (("pyproject.toml", _dependencies), ("constraints/bench.txt", _pins)):
        ours, theirs = read(ROOT / name), read(there.root / name)
        if ours != theirs:
            changed = [
                *(f"− {one}" for one in sorted(theirs - ours)),
                *(f"+ {one}" for one in sorted(ours - theirs)),
            ]
            more = f" and {len(changed) - 12} more" if len(changed) > 12 else ""
            notes.append(
                f"**dependencies changed** since {there.name} in {name}: {', '.join(changed[:12])}{more}; "
                "both sides ran with what is installed now"
            )
    return notes


def _dependencies(path: Path) -> set[str]:
    project = tomllib.loads(path.read_text(encoding="utf-8"))["project"] if path.is_file() else {}
    return {*project.get("dependencies", ()), *chain(*project.get("optional-dependencies", {}).values())}


def _pins(path: Path) -> set[str]:
    if not path.is_file():
        return set()
    return set(
        re.findall(r"^[A-Za-z0-9][^\s;\\]*==[^\s;\\]+", path.read_text(encoding="utf-8"), re.MULTILINE)
    )


def _text(side: Side, script: str) -> str:
    return (side.root / "benchmarks" / script).read_text(encoding="utf-8")


def _state() -> str:
    edited = " with edits" if _git("status", "--porcelain", "--untracked-files=no") else ""
    return _git("rev-parse", "HEAD")[:12] + edited


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], check=False, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.strip() or "there is no such commit"
        raise NotMeasured(f"git {' '.join(arguments)}: {said}")
    return done.stdout.strip()
