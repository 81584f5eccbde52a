"""What a person sees of a command: at a terminal of some width, or where a pipe reads it."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

WIDTHS = (60, 80, 120)

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_PATIENCE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Screen:
    """What one command ended with and showed."""

    code: int
    shown: str
    """Standard output and standard error as a terminal shows them one after the other, without colours."""
    raw: str
    """The same with its colours."""

    @property
    def lines(self) -> list[str]:
        return self.shown.splitlines()

    @property
    def text(self) -> str:
        """What it showed, with each run of blanks and line breaks as one blank."""
        return re.sub(r"\s+", " ", self.shown)


def at_terminal(
    words: Sequence[str],
    folder: Path,
    *,
    width: int = 80,
    environment: Mapping[str, str] | None = None,
    module: str = "fleetcast.cli.main",
) -> Screen:
    """Type `fleetcast …` in a folder, at a terminal so wide; or have another module run there."""
    ours, its = pty.openpty()
    termios.tcsetwinsize(its, (50, width))
    running = subprocess.Popen(
        [sys.executable, "-m", module, *words],
        cwd=folder,
        env=_environment({"TERM": "xterm-256color"} | dict(environment or {})),
        stdin=subprocess.DEVNULL,
        stdout=its,
        stderr=its,
    )
    os.close(its)
    seen = b""
    while chunk := _read(ours):
        seen += chunk
    os.close(ours)
    return _screen(running.wait(_PATIENCE_SECONDS), seen)


def piped(
    words: Sequence[str],
    folder: Path,
    *,
    environment: Mapping[str, str] | None = None,
    module: str = "fleetcast.cli.main",
) -> Screen:
    """Type `fleetcast … | cat` in a folder, where there is no terminal; or have another module run there."""
    done = subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=folder,
        env=_environment(environment or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=_PATIENCE_SECONDS,
        check=False,
    )
    return _screen(done.returncode, done.stdout)


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """The environment of this process without what says how wide or colourful a terminal is."""
    without = {"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TERM", "CI", "TF_BUILD", "GITHUB_ACTIONS"}
    return {name: value for name, value in os.environ.items() if name not in without} | dict(more)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # how Linux says that nobody holds the other side any more
        return b""


def _screen(code: int, seen: bytes) -> Screen:
    raw = seen.decode("utf-8", "replace").replace("\r\n", "\n")
    return Screen(code, _ESCAPES.sub("", raw), raw)
