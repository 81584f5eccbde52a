"""Several processes of this program that work on parts of something at the same time."""

from __future__ import annotations

import os
import pickle  # between processes of ours
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from queue import SimpleQueue
from typing import IO, Any, TypeVar

from fleetcast.platforms.cores import ONE_THREAD, cores

_AHEAD = 2
"""Parts that wait for each process: more would only fill memory."""
_LENGTH = struct.Struct("!Q")
P = TypeVar("P")
R = TypeVar("R")


def in_processes(work: Callable[[P], R], parts: Iterable[P], *, alone: int = 0) -> Iterator[R]:
    """What comes of each part, in their order; as many processes as there are cores work on them.

    Args:
        work: A function of a module, or a `partial` of one, which gives something but None; what it raises is
            raised here.
        parts: Values that can be sent to another process, as what comes of them can be sent back.
        alone: So many are worked on here before it is worth to start others.
    """
    coming = iter(parts)
    for _, part in zip(range(alone), coming, strict=False):
        yield work(part)
    try:
        first = next(coming)
    except StopIteration:
        return
    helpers = cores()
    if helpers < 2:
        yield work(first)
        yield from map(work, coming)
        return
    with ExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(helpers))
        idle: SimpleQueue[_Helper] = SimpleQueue()
        for _ in range(helpers):
            helper = _Helper()
            stack.callback(helper.end)
            idle.put(helper)
        at_work: deque[Future[R]] = deque([threads.submit(_done, work, first, idle)])
        with suppress(StopIteration):
            while True:
                while len(at_work) < helpers * _AHEAD:
                    at_work.append(threads.submit(_done, work, next(coming), idle))
                yield at_work.popleft().result()
        while at_work:
            yield at_work.popleft().result()


class _Helper:
    """A process that works on parts: a new interpreter, with none of this one's connections, locks and threads."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # our own program
            [sys.executable, "-m", "fleetcast.platforms.processes"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **ONE_THREAD},
        )

    def work(self, work: Callable[[P], R], part: P) -> R | None:
        """What comes of a part; None where nothing came of it there."""
        assert self._process.stdin is not None  # noqa: S101  # pipes were asked for
        assert self._process.stdout is not None  # noqa: S101
        try:
            _send((work, part), self._process.stdin)
            found: R | None = _received(self._process.stdout)
        except (OSError, EOFError):
            return None
        return found

    def end(self) -> None:
        """Have it end."""
        self._process.kill()
        self._process.communicate()


def _done(work: Callable[[P], R], part: P, idle: SimpleQueue[_Helper]) -> R:
    helper = idle.get()
    try:
        found = helper.work(work, part)
    finally:
        idle.put(helper)
    # What went wrong there is said here, in its own words.
    return work(part) if found is None else found


def _send(value: object, to: IO[bytes]) -> None:
    content = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    to.write(_LENGTH.pack(len(content)))
    to.write(content)
    to.flush()


def _received(from_it: IO[bytes]) -> Any:
    head = from_it.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(head)
    return pickle.loads(from_it.read(length))  # noqa: S301  # from a process of ours


def main() -> None:
    """Work on parts from standard input until it closes."""
    found: object
    with suppress(EOFError, OSError):
        while True:
            work, part = _received(sys.stdin.buffer)
            try:
                found = work(part)
            except Exception:  # noqa: BLE001  # whatever it is, it is raised where the part comes from
                found = None
            _send(found, sys.stdout.buffer)


if __name__ == "__main__":
    main()
