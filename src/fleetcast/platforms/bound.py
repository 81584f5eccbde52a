"""What a command is started through so that it ends with its parent, however that ends.

The system is asked for a signal at the parent's death, which outlives the program that takes this one's place. Where
there is no such thing as on Linux, the command goes on: the leases that it takes are what keeps another out.
"""

from __future__ import annotations

import ctypes
import os
import sys

_SIGNAL_AT_PARENTS_DEATH = 1


def main() -> None:
    """Bind this process to its parent, and become `fleetcast` with the words that follow."""
    parent, number, *words = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SIGNAL_AT_PARENTS_DEATH, int(number))
    if os.getppid() != int(parent):  # it died before it could be bound to
        sys.exit(1)
    os.execv(sys.executable, [sys.executable, "-m", "fleetcast.cli.main", *words])  # noqa: S606  # no shell


if __name__ == "__main__":
    main()
