"""What a thread of delta-rs writes to standard error when it panics, as on a full disk.

Rust writes it by itself, past Python. The error that is raised says what happened; the rest names a registry's sources
and a variable of Rust's, with which nobody who uses fleetcast can do anything.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_STANDARD_ERROR = 2
_PANIC = re.compile(
    r"^\n?thread '[^'\n]*'[^\n]* panicked at [^\n]*\n"
    r"(?:(?!error: |note: |stack backtrace:)[^\n]*\n)?"
    r"(?:stack backtrace:\n(?: [^\n]*\n)*)?"
    r"(?:note: [^\n]*RUST_BACKTRACE[^\n]*\n?)?",
    re.MULTILINE,
)
_lock = threading.Lock()
_depth = 0
_kept: tuple[int, int] = (-1, -1)
"""Standard error itself, and what takes its place."""


@contextmanager
def without_panics() -> Iterator[None]:
    """Keep panics from standard error; what else is written there meanwhile comes after. Threads may use it at once."""
    _begin()
    try:
        yield
    finally:
        _end()


def without_panic(text: str) -> str:
    """A text without what Rust says of its panics."""
    return _PANIC.sub("", text)


def _begin() -> None:
    global _depth, _kept  # noqa: PLW0603  # there is one standard error in a process
    with _lock:
        _depth += 1
        if _depth == 1:
            if sys.stderr is not None:
                sys.stderr.flush()
            held = os.memfd_create("standard error")
            _kept = os.dup(_STANDARD_ERROR), held
            os.dup2(held, _STANDARD_ERROR)


def _end() -> None:
    global _depth  # noqa: PLW0603  # as above
    with _lock:
        _depth -= 1
        if _depth:
            return
        if sys.stderr is not None:
            sys.stderr.flush()
        own, held = _kept
        os.dup2(own, _STANDARD_ERROR)
        os.close(own)
        said = os.pread(held, os.fstat(held).st_size, 0).decode(errors="replace")
        os.close(held)
        if rest := without_panic(said):
            os.write(_STANDARD_ERROR, rest.encode())
