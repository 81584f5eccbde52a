"""How a process ended, in words: with which code, by which signal, and whether memory ran out."""

from __future__ import annotations

import re
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

_NO_MEMORY = re.compile(r"\bMemoryError\b|std::bad_alloc|[Cc]annot allocate memory|[Uu]nable to allocate ")
"""What programs say that were refused memory."""
_LIMITS = {
    signal.SIGXCPU: ", as its limit of computing time (ulimit -t) ran out",
    signal.SIGXFSZ: ", as a file grew beyond the limit (ulimit -f)",
}
_SHELL = 128
"""A shell whose command was killed ends with this and the signal's number."""


def memory_kills(root: Path = Path("/")) -> int:
    """How many processes were killed so far because memory ran out, in this control group and on this machine.

    Args:
        root: Where `proc` and `sys` are.
    """
    return sum(_counted(file, name) for file, name in _counters(root))


def how_it_ended(code: int, said: str, *, memory_ran_out: bool) -> str:
    """Words for the end of a process that did not end well.

    Args:
        code: Its exit code; below zero: the signal that ended it.
        said: The last line that it printed; empty if it printed nothing.
        memory_ran_out: Whether processes were killed for want of memory meanwhile.

    >>> how_it_ended(3, "no licence", memory_ran_out=False)
    'ended with exit code 3: no licence'
    >>> how_it_ended(-9, "epoch 7", memory_ran_out=True)
    'was killed by SIGKILL, as memory ran out; the last it printed: epoch 7'
    """
    how = in_short(code, said, memory_ran_out=memory_ran_out)
    if code < 0:
        return f"{how}; the last it printed: {said}" if said else f"{how}; it printed nothing"
    return f"{how}: {said or 'it printed nothing'}"


def in_short(code: int, said: str = "", *, memory_ran_out: bool) -> str:
    """The same without its last words."""
    by = _signal(-code if code < 0 else code - _SHELL)
    why = _LIMITS.get(by, "") if by is not None else ""
    if by is signal.SIGKILL and memory_ran_out:
        why = ", as memory ran out"
    elif _NO_MEMORY.search(said):
        why = f", as memory ran out{_memory_limit()}"
    if code < 0:
        return f"was killed by {f'signal {-code}' if by is None else by.name}{why}"
    return f"ended with exit code {code}" + ("" if by is None else f", as after {by.name}") + why


def no_memory(error: MemoryError) -> str:
    """Words for a step that was refused memory in this process."""
    said = str(error)
    return f"failed, as memory ran out{_memory_limit()}" + (f": {said}" if said else "")


def _signal(number: int) -> signal.Signals | None:
    try:
        return signal.Signals(number)
    except ValueError:
        return None


def _memory_limit() -> str:
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return "" if soft == resource.RLIM_INFINITY else f" (it may use {soft / 2**20:,.0f} MiB, by ulimit -v)"


def _counters(root: Path) -> Iterator[tuple[Path, str]]:
    """Files that count, and the name of their count: of the machine, and of control groups of both versions."""
    yield root / "proc/vmstat", "oom_kill"
    groups = root / "sys/fs/cgroup"
    for line in _lines(root / "proc/self/cgroup"):
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        below = path.strip().lstrip("/")
        if number == "0":
            yield groups / below / "memory.events", "oom_kill"
        elif "memory" in controllers.split(","):
            yield groups / "memory" / below / "memory.oom_control", "oom_kill"


def _counted(file: Path, name: str) -> int:
    for line in _lines(file):
        words = line.split()
        if len(words) == 2 and words[0] == name and words[1].isdigit():
            return int(words[1])
    return 0


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
