"""Foreign models, each in a fresh interpreter with limits and without secrets, ended as a whole group."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from fleetcast.domain.duration import format_duration
from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.foreign import (
    ForeignDescription,
    ForeignLimits,
    NamedColumns,
    Window,
    check_wanted,
    shown_size,
)
from fleetcast.domain.location import file_uri
from fleetcast.platforms.foreign.description import describe
from fleetcast.ports.foreign_models import Floats, ForeignModelFailed, ForeignTask

_CHILD = Path(__file__).with_name("child.py")
_LOOK_EVERY = 0.1
"""Seconds between two looks at what the process takes."""
_PASSED_ON = ("LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "SYSTEMROOT")
"""The only variables of the caller that a foreign model sees: none can hold a secret."""
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ProcessForeignModels:
    """Runs foreign models on this machine."""

    limits: ForeignLimits = field(default_factory=ForeignLimits)
    monotonic: Callable[[], float] = time.monotonic
    """Seconds; tells how long a model has run."""

    def describe(self, folder: Path) -> ForeignDescription:
        """What a model's `MLmodel` says of it."""
        return describe(folder)

    def points(self, task: ForeignTask, windows: Floats, ends: Sequence[datetime]) -> Floats:
        """Point forecasts from several windows of history, shape (q, horizon, targets)."""
        if importlib.util.find_spec("mlflow") is None:
            raise BadInput(
                f"{task.name} was trained elsewhere and is run by MLflow, which is not installed here",
                fix="pip install 'fleetcast[mlflow]'",
            )
        try:
            with tempfile.TemporaryDirectory(prefix="fleetcast-foreign-", ignore_cleanup_errors=True) as name:
                folder = Path(name)
                task.copy(folder / "model")
                described = describe(folder / "model")
                check_wanted(task.name, described.wants, task.features)
                self._ask(task, described, windows, ends, folder)
                self._run(task, folder)
                return _answer(task, len(windows), folder)
        except OSError as error:
            raise Unavailable(
                f"cannot run {task.name}: {error}", fix="check the space and rights of the temporary folder"
            ) from error

    def _ask(
        self,
        task: ForeignTask,
        described: ForeignDescription,
        windows: Floats,
        ends: Sequence[datetime],
        folder: Path,
    ) -> None:
        wants, length = described.wants, windows.shape[1] * task.step
        named = wants if isinstance(wants, NamedColumns) else None
        request = {
            "memory": self.limits.memory,
            "features": task.features,
            "targets": task.targets,
            "horizon": task.horizon,
            "step": task.step // _MICROSECOND,
            "firsts": [(end - length - _EPOCH) // _MICROSECOND for end in ends],
            "begins": [(end - _EPOCH) // _MICROSECOND for end in ends],
            "columns": named.given if named else None,
            "casts": dict(named.casts) if named else {},
            "zone": named.timestamp_has_zone if named else True,
            "dtype": wants.dtype if isinstance(wants, Window) else None,
        }
        (folder / "request.json").write_text(json.dumps(request))
        np.save(folder / "windows.npy", windows, allow_pickle=False)
        (folder / "home").mkdir()

    def _run(self, task: ForeignTask, folder: Path) -> None:
        with (folder / "said.txt").open("wb") as said:
            process = subprocess.Popen(  # noqa: S603  # this interpreter and a script of this package
                [sys.executable, "-I", "-B", str(_CHILD), str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                cwd=folder / "home",
                env=_environment(folder / "home"),
                start_new_session=True,
                close_fds=True,
            )
            try:
                self._watch(task, process)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        _complain(task, process.returncode, folder, self.limits)

    def _watch(self, task: ForeignTask, process: subprocess.Popen[bytes]) -> None:
        """Wait for the end, or for a limit to be passed."""
        started = self.monotonic()
        while True:
            try:
                process.wait(timeout=_LOOK_EVERY)
            except subprocess.TimeoutExpired:
                pass
            else:
                return
            if self.monotonic() - started > self.limits.time.total_seconds():
                raise ForeignModelFailed(
                    f"{task.name} did not answer within {format_duration(self.limits.time)} and was stopped",
                    fix="raise `foreign_models: {time: …}` in fleetcast.yaml, or fix the model",
                )
            if _resident(process.pid) > self.limits.memory:
                raise _too_much(task, self.limits)


def _environment(home: Path) -> dict[str, str]:
    """What a foreign model may know of the world."""
    own = {
        "PATH": os.defpath,
        "HOME": str(home),
        "TMPDIR": str(home),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_TRACKING_URI": file_uri(home / "mlruns"),
    }
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | own | _ONE_THREAD


def _resident(group: int) -> int:
    """Bytes in memory of all processes of a group; 0 where the system does not tell."""
    total = 0
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if len(fields) > 21 and int(fields[2]) == group:
            total += int(fields[21])
    return total * os.sysconf("SC_PAGE_SIZE") if total else 0


def _too_much(task: ForeignTask, limits: ForeignLimits) -> ForeignModelFailed:
    return ForeignModelFailed(
        f"{task.name} wanted more than {shown_size(limits.memory)} of memory and was stopped",
        fix="raise `foreign_models: {memory: …}` in fleetcast.yaml, or fix the model",
    )


def _complain(task: ForeignTask, code: int, folder: Path, limits: ForeignLimits) -> None:
    """Say how the process ended, unless it left an answer."""
    failure = folder / "failure.json"
    if failure.is_file() and failure.stat().st_size < 2**20:
        try:
            told = json.loads(failure.read_text())
            phase, says = str(told["phase"]), str(told["says"])
        except (ValueError, KeyError, TypeError):
            phase, says = "forecast", "it left a report that cannot be read"
        if phase == "memory":
            raise _too_much(task, limits)
        if phase == "answer":
            raise ForeignModelFailed(
                f"{task.name} gave no forecast: {says}",
                fix="see docs/ADOPTION.md for what a model gives back",
            )
        if phase == "given":
            raise ForeignModelFailed(
                f"{task.name} cannot be given its readings: {says}",
                fix="save the model with a signature of types that can hold them, such as `double`",
            )
        doing = "be loaded" if phase == "load" else "forecast"
        raise ForeignModelFailed(
            f"{task.name} could not {doing}: {says}",
            fix="install the packages that its requirements.txt names, or fix the model",
        )
    if code:
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        raise ForeignModelFailed(
            f"{task.name} crashed with {how}: {_last_line(folder / 'said.txt')}",
            fix=f"fix the model; if it ran out of its {shown_size(limits.memory)} of memory, "
            "raise `foreign_models: {memory: …}` in fleetcast.yaml",
        )


def _answer(task: ForeignTask, count: int, folder: Path) -> Floats:
    """What the process wrote, believed only as far as it is checked here."""
    shape = (count, task.horizon, len(task.targets))
    path, size = folder / "answer.bin", 8 * int(np.prod(shape))
    whole = path.is_file() and not path.is_symlink() and path.stat().st_size == size
    values = np.frombuffer(path.read_bytes(), "<f8").reshape(shape) if whole else None
    if values is None or not np.isfinite(values).all():
        raise ForeignModelFailed(
            f"{task.name} ended without a forecast: {_last_line(folder / 'said.txt')}",
            fix="see docs/ADOPTION.md for what a model gives back",
        )
    return values


def _last_line(said: Path) -> str:
    with said.open("rb") as stream:
        stream.seek(max(0, said.stat().st_size - 4096))
        lines = stream.read().decode(errors="replace").split("\n")
    words = [line.strip() for line in lines if line.strip()]
    return words[-1][:300] if words else "it printed nothing"
