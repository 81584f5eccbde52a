"""A few worker processes that run one job each at a time, and can be killed without harm.

Not `concurrent.futures`: a job that outlives its timeout must be ended while its siblings go on, and workers
must not outlive a parent that was killed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess

from fleetcast.domain.settings import DATABASE_URL_VARIABLE, OIDC_SECRET_VARIABLE, SIGNING_KEY_VARIABLE
from fleetcast.pipeline.ended import in_short, memory_kills
from fleetcast.platforms.cores import ONE_THREAD
from fleetcast.platforms.jobs.worker import Work, WorkDone, work_until_told

_NOT_FOR_JOBS = (DATABASE_URL_VARIABLE, "PGPASSWORD", SIGNING_KEY_VARIABLE, OIDC_SECRET_VARIABLE)
"""Secrets that training code has no need of."""


@dataclass(slots=True)
class _Worker:
    process: ForkServerProcess
    pipe: Connection
    busy_with: Work | None = None
    memory_kills: int = 0
    """How many processes had been killed for want of memory when the job began."""
    deadline: float = float("inf")


class WorkerPool:
    """Starts workers when there is work, up to `size` of them."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._workers: list[_Worker] = []
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["fleetcast.platforms.jobs.worker"])

    @property
    def free(self) -> int:
        """How many more jobs could start now."""
        return self._size - sum(1 for worker in self._workers if worker.busy_with)

    @property
    def busy(self) -> bool:
        """Whether any job is running."""
        return self.free < self._size

    def start(self, work: Work) -> None:
        """Hand a job to a free worker."""
        worker = next((worker for worker in self._workers if worker.busy_with is None), None)
        if worker is None:
            worker = self._new_worker()
        worker.busy_with = work
        worker.memory_kills = memory_kills()
        worker.deadline = time.monotonic() + work.timeout_seconds
        worker.pipe.send(work)

    def finished(self, timeout_seconds: float) -> Sequence[WorkDone]:
        """Wait until at least one job ended, or the time is over; jobs past their own timeout are killed."""
        until = time.monotonic() + timeout_seconds
        while True:
            running = [worker for worker in self._workers if worker.busy_with]
            if not running:
                return []
            pause = min(until, *(worker.deadline for worker in running)) - time.monotonic()
            ready = wait([worker.pipe for worker in running], max(0.0, pause))
            done = [self._receive(worker) for worker in running if worker.pipe in ready]
            done += [
                self._expire(worker)
                for worker in running
                if worker.busy_with and worker.deadline <= time.monotonic()
            ]
            if done or time.monotonic() >= until:
                return done

    def close(self) -> None:
        """End all workers at once, whatever they are doing."""
        for worker in self._workers:
            self._kill(worker)
        self._workers.clear()

    def _new_worker(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        with _environment(ONE_THREAD):
            ours_now = {name: value for name, value in os.environ.items() if name not in _NOT_FOR_JOBS}
            process = self._context.Process(target=work_until_told, args=(theirs, ours_now), daemon=True)
            process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker

    def _receive(self, worker: _Worker) -> WorkDone:
        work = worker.busy_with
        assert work is not None  # noqa: S101  # only busy workers are waited for
        try:
            done: WorkDone = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join()
            code = worker.process.exitcode or 0
            self._drop(worker)
            ended = in_short(code, memory_ran_out=memory_kills() > worker.memory_kills)
            return WorkDone(work.job_id, error=f"its worker process {ended}")
        worker.busy_with = None
        worker.deadline = float("inf")
        return done

    def _expire(self, worker: _Worker) -> WorkDone:
        work = worker.busy_with
        assert work is not None  # noqa: S101  # only busy workers have a deadline
        self._drop(worker)
        return WorkDone(work.job_id, error=f"timed out after {work.timeout_seconds:g} s")

    def _drop(self, worker: _Worker) -> None:
        self._kill(worker)
        self._workers.remove(worker)

    def _kill(self, worker: _Worker) -> None:
        pid = worker.process.pid
        if pid is not None and worker.process.is_alive():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            worker.process.kill()
        worker.process.join()
        worker.pipe.close()


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables for the processes started inside the block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
