"""Several processes that read pages of a long audit log at the same time; a short one is read by this process alone."""

from __future__ import annotations

import pickle  # between processes of ours
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from queue import SimpleQueue
from typing import IO, Any

from fleetcast.domain.chronicle import BrokenLog, Chronicle
from fleetcast.domain.errors import FleetcastError
from fleetcast.platforms.cores import cores
from fleetcast.stored.audit_pages import AuditPage, AuditRow, read_page

_ALONE = 4
"""Pages that are read here before it is worth to start others."""
_AHEAD = 2
"""Pages that wait for each process: more would only fill memory."""
_LENGTH = struct.Struct("!Q")
Told = Chronicle | BrokenLog


def read_pages(pages: Iterable[AuditPage]) -> Iterator[Told]:
    """What each page tells, in their order.

    Raises:
        BadInput: An entry cannot be read; the text names it.
    """
    coming = iter(pages)
    for _, page in zip(range(_ALONE), coming, strict=False):
        yield read_page(page)
    first = next(coming, None)
    if first is None:
        return
    readers = cores()
    if readers < 2:
        yield read_page(first)
        yield from map(read_page, coming)
        return
    with ExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(readers))
        idle: SimpleQueue[_Reader] = SimpleQueue()
        for _ in range(readers):
            reader = _Reader()
            stack.callback(reader.end)
            idle.put(reader)
        at_work: deque[Future[Told]] = deque([threads.submit(_read, first, idle)])
        with suppress(StopIteration):
            while True:
                while len(at_work) < readers * _AHEAD:
                    at_work.append(threads.submit(_read, next(coming), idle))
                yield at_work.popleft().result()
        while at_work:
            yield at_work.popleft().result()


class _Reader:
    """A process that reads pages: a new interpreter, with none of this one's connections, locks and threads."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # our own program
            [sys.executable, "-m", "fleetcast.platforms.control.log_readers"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def read(self, page: AuditPage) -> Told | None:
        """What a page tells; None where it could not be read there."""
        assert self._process.stdin is not None  # noqa: S101  # pipes were asked for
        assert self._process.stdout is not None  # noqa: S101
        try:
            # As plain tuples: millions of rows are written twice as fast without their names.
            rows = tuple(map(tuple, page.rows))
            _send((rows, page.after, page.previous, page.requests), self._process.stdin)
            told: Told | None = _received(self._process.stdout)
        except (OSError, EOFError):
            return None
        return told

    def end(self) -> None:
        """Have it end."""
        self._process.kill()
        self._process.communicate()


def _read(page: AuditPage, idle: SimpleQueue[_Reader]) -> Told:
    reader = idle.get()
    try:
        told = reader.read(page)
    finally:
        idle.put(reader)
    # What went wrong there is said here, in its own words.
    return read_page(page) if told is None else told


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
    """Read pages from standard input until it closes."""
    told: Told | None
    with suppress(EOFError, OSError):
        while True:
            rows, *others = _received(sys.stdin.buffer)
            try:
                told = read_page(AuditPage(tuple(map(AuditRow._make, rows)), *others))
            except FleetcastError:
                told = None
            _send(told, sys.stdout.buffer)


if __name__ == "__main__":
    main()
