"""Many commands typed one after the other, at terminals of several widths: two processes for all of them."""

from __future__ import annotations

import json
import os
import re
import sys
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

from fleetcast.cli.main import run
from tests.first_impressions.screens import Screen, at_terminal, piped

PIPE = 0
"""The width of no terminal."""
_ROOT = Path(__file__).parents[2]
_THIS = "tests.first_impressions.many_screens"
_END = "\x1e"
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def screens_of(
    commands: Sequence[str], widths: Sequence[int], folder: Path
) -> Mapping[tuple[str, int], Screen]:
    """What each command shows at each width, and through a pipe."""
    paths = os.pathsep.join((str(_ROOT), os.environ.get("PYTHONPATH", "")))
    seen: dict[tuple[str, int], Screen] = {}
    for wanted in (
        [(words, width) for words in commands for width in widths],
        [(words, PIPE) for words in commands],
    ):
        look = piped if wanted[0][1] == PIPE else at_terminal
        all_of_them = look([json.dumps(wanted)], folder, environment={"PYTHONPATH": paths}, module=_THIS)
        parts = all_of_them.raw.split(_END)
        if len(parts) != 2 * len(wanted) + 1:
            raise AssertionError(all_of_them.shown)
        for one, raw, code in zip(wanted, parts[::2], parts[1::2], strict=False):
            seen[one] = Screen(int(code), _ESCAPES.sub("", raw), raw)
    return seen


def main() -> None:
    """Type the commands that the first argument lists, and say after each with what it ended."""
    for words, width in json.loads(sys.argv[1]):
        if width != PIPE:
            termios.tcsetwinsize(1, (50, width))
        code = run(words.split())
        sys.stdout.flush()
        sys.stdout.write(f"{_END}{code}{_END}")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
