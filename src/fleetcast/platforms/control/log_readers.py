"""Several processes that read pages of a long audit log at the same time; a short one is read by this process alone."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import suppress

from fleetcast.domain.chronicle import BrokenLog, Chronicle
from fleetcast.stored.audit_pages import AuditPage, read_page

_ALONE = 4
"""Pages that are read here before it is worth to start others."""
_AHEAD = 2
"""Pages that wait for each process: more would only fill memory."""


def read_pages(pages: Iterable[AuditPage]) -> Iterator[Chronicle | BrokenLog]:
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
    readers = _cores()
    if readers < 2:
        yield read_page(first)
        yield from map(read_page, coming)
        return
    # Fork servers and new interpreters have none of this process's connections, locks and threads.
    with ProcessPoolExecutor(readers, multiprocessing.get_context("forkserver")) as pool:
        at_work: deque[Future[Chronicle | BrokenLog]] = deque([pool.submit(read_page, first)])
        with suppress(StopIteration):
            while True:
                while len(at_work) < readers * _AHEAD:
                    at_work.append(pool.submit(read_page, next(coming)))
                yield at_work.popleft().result()
        while at_work:
            yield at_work.popleft().result()


def _cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
