"""Commands of this program as processes that end with the one that started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fleetcast.domain.errors import Unavailable
from fleetcast.stored.durable import make_folder

_GRACE_SECONDS = 10.0


def command_line(words: Sequence[str], directory: Path, *, ended_by: signal.Signals) -> list[str]:
    """What starts `fleetcast` with these words on a fleet, bound to the process that starts it.

    Args:
        words: What a person would type.
        directory: The fleet repository.
        ended_by: What it gets when this process is gone.
    """
    return [
        sys.executable,
        "-m",
        "fleetcast.platforms.bound",
        str(os.getpid()),
        str(ended_by.value),
        *words,
        "--fleet",
        str(directory),
    ]


class CommandProcess:
    """A command in a process of its own."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def exit_code(self) -> int | None:
        """What it ended with."""
        return self._process.poll()

    def end(self) -> None:
        """Have it end, and wait until it has."""
        self._process.terminate()
        try:
            self._process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@dataclass(frozen=True, slots=True)
class CommandProcesses:
    """Starts commands on one fleet."""

    directory: Path
    """The fleet repository."""

    def start(self, words: Sequence[str], log: Path) -> CommandProcess:
        """Start `fleetcast` with these words."""
        line = command_line(words, self.directory, ended_by=signal.SIGKILL)
        try:
            make_folder(log.parent)
            with log.open("ab") as stream:
                return CommandProcess(
                    subprocess.Popen(  # noqa: S603  # our own program
                        line, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT
                    )
                )
        except OSError as error:
            raise Unavailable(
                f"cannot start `fleetcast {' '.join(words)}`: {error.strerror}",
                fix=f"check the disk, and who may write to {log.parent}",
            ) from error
