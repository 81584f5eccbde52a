"""Running a component's steps for one job: each command in turn, fleetcast's own one in place."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fleetcast.domain.component import Step, TrainingComponent
from fleetcast.domain.errors import BadInput, FleetcastError
from fleetcast.pipeline.ended import how_it_ended, memory_kills, no_memory
from fleetcast.pipeline.fit import fit_from_files

_PLACEHOLDER = re.compile(r"\$\{\{\s*(inputs|outputs)\.([A-Za-z0-9_-]+)\s*\}\}")
_OWN = ("fleetcast", "fit")
_TAIL = 65_536
"""Bytes at the end of a log in which its last line is looked for."""
_FIT_OPTIONS = ("--task", "--data", "--output")


class StepFailed(FleetcastError):
    """A step's command ended with an error."""

    fix = "read the job's log"


@dataclass(frozen=True, slots=True)
class JobFiles:
    """Where one job finds its inputs and leaves its outputs."""

    folder: Path
    task: Path
    data: Path

    @property
    def model(self) -> Path:
        """The folder that the component writes the model to."""
        return self.folder / "outputs" / "model"

    @property
    def log(self) -> Path:
        """What the steps said."""
        return self.folder / "log.txt"

    def place(self, direction: str, name: str) -> Path:
        """The path that stands for `${{inputs.name}}` or `${{outputs.name}}`."""
        if direction == "inputs" and name in ("task", "data"):
            return self.task if name == "task" else self.data
        return self.folder / "outputs" / name


def check_commands(component: TrainingComponent) -> None:
    """Make sure that every step's command can be read; where its program is, it shows when a job runs.

    Raises:
        BadInput: One cannot.
    """
    for step in component.steps:
        _words(step)


def check_steps(component: TrainingComponent) -> None:
    """Make sure that every step's program is on this machine.

    Raises:
        BadInput: One is not; the component is never run in part or ignored.
    """
    for step in component.steps:
        words = _words(step)
        if _own_fit(words) is None and shutil.which(words[0]) is None:
            raise BadInput(
                f"step {step.name!r} of {component.name}:{component.version} runs {words[0]!r}, not on this machine",
                fix="install it, or change the step's command and bump the component's version",
            )


def run_steps(component: TrainingComponent, files: JobFiles) -> None:
    """Run all steps of one job; what they print goes to its log.

    Raises:
        FleetcastError: A step failed; later steps did not run.
    """
    outputs = files.folder / "outputs"
    if outputs.is_symlink() or outputs.is_file():
        outputs.unlink()
    shutil.rmtree(outputs, ignore_errors=True)
    outputs.mkdir(parents=True)
    with files.log.open("a", encoding="utf-8") as log:
        for step in component.steps:
            started = time.perf_counter()
            _say(log, f"step {step.name}: {step.command}")
            _run(step, files, log)
            _say(log, f"step {step.name}: done in {time.perf_counter() - started:.3f} s")


def _run(step: Step, files: JobFiles, log: IO[str]) -> None:
    words = [
        _PLACEHOLDER.sub(lambda match: str(files.place(match[1], match[2])), word) for word in _words(step)
    ]
    own = _own_fit(words)
    if own is not None:
        task, data, output = own
        try:
            _say(log, fit_from_files(task, data, output))
        except MemoryError as error:
            raise StepFailed(f"step {step.name!r} {no_memory(error)}") from error
        return
    begins, kills = files.log.stat().st_size, memory_kills()
    try:
        done = subprocess.run(  # noqa: S603  # the registered component's own command
            words, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False
        )
    except OSError as error:
        raise StepFailed(f"step {step.name!r} could not start: {error}") from error
    if done.returncode:
        said = _last_line(files.log, begins)
        ended = how_it_ended(done.returncode, said, memory_ran_out=memory_kills() > kills)
        raise StepFailed(f"step {step.name!r} {ended}")


def _own_fit(words: Sequence[str]) -> tuple[Path, Path, Path] | None:
    """The paths of a plain `fleetcast fit` command; None for any other, which then runs as a process."""
    if tuple(words[:2]) != _OWN or len(words) != 2 + 2 * len(_FIT_OPTIONS):
        return None
    options = dict(zip(words[2::2], words[3::2], strict=True))
    if set(options) != set(_FIT_OPTIONS):
        return None
    task, data, output = (Path(options[name]) for name in _FIT_OPTIONS)
    return task, data, output


def _words(step: Step) -> list[str]:
    command = _PLACEHOLDER.sub(r"${{\1.\2}}", step.command)  # blanks inside would make several words of one
    try:
        return shlex.split(command)
    except ValueError as error:
        raise BadInput(
            f"the command of step {step.name!r} cannot be read: {error}", fix="close its quotes"
        ) from error


def _say(log: IO[str], text: str) -> None:
    log.write(text + "\n")
    log.flush()


def _last_line(log: Path, begins: int) -> str:
    """The last line that a step printed, if its output begins there; empty if it printed nothing."""
    with log.open("rb") as file:
        file.seek(max(begins, log.stat().st_size - _TAIL))
        text = file.read().decode(errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
