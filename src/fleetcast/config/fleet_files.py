"""The files of a fleet repository as text: read once, checked with other content, written in one move each."""

from __future__ import annotations

import difflib
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from fleetcast.config.assets import COMPONENT_FILE, ENVIRONMENT_FILE
from fleetcast.config.circuit_files import CIRCUITS_FOLDER, MAIN_FILE
from fleetcast.config.reader import FleetReading, read_fleet
from fleetcast.config.settings import SETTINGS_FILE
from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.foreseen import why
from fleetcast.stored.durable import partial_beside, sync

Changed = Mapping[str, tuple[str, str]]
"""Text before and after, by the file's path in the repository."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class FleetFiles:
    """The circuit files of a valid fleet, and other files where asked for.

    Raises:
        InvalidFleet: The repository has mistakes; they are fixed by hand first.
    """

    def __init__(self, directory: Path, *, now: datetime, more: Sequence[str] = ()) -> None:
        self._directory = directory
        self._now = now
        self.reading: FleetReading = read_fleet(directory, now=now)
        names = [*more, *_circuit_files(directory)]
        self._bytes = {name: (directory / name).read_bytes() for name in names}
        self.texts = {name: content.decode("utf-8-sig") for name, content in self._bytes.items()}

    def read_with(self, changed: Changed) -> FleetReading:
        """Read the fleet as it would be.

        Raises:
            InvalidFleet: It would have mistakes.
        """
        with TemporaryDirectory() as folder:
            copy = Path(folder)
            for name in {SETTINGS_FILE, ENVIRONMENT_FILE, COMPONENT_FILE, *_circuit_files(self._directory)}:
                source, target = self._directory / name, copy / name
                target.parent.mkdir(parents=True, exist_ok=True)
                if name in changed:
                    target.write_bytes(changed[name][1].encode())
                elif source.is_file():
                    shutil.copyfile(source, target)
            return read_fleet(copy, now=self._now)

    def must_mean_the_same(self, changed: Changed) -> None:
        """Make sure that a change is one of form only.

        Raises:
            InvalidFleet: The fleet would have mistakes.
            BadInput: It would mean something else.
        """
        if self.read_with(changed).fleet != self.reading.fleet:
            raise BadInput("its meaning would change")

    def write(self, changed: Changed) -> None:
        """Write files, each in one move.

        Raises:
            BadInput: A file was changed by somebody else since it was read; nothing is written.
            Unavailable: The disk is full or cannot be written.
        """
        for name in changed:
            if (self._directory / name).read_bytes() != self._bytes[name]:
                raise BadInput(f"{name} was changed meanwhile", fix="run this again")
        moves: list[tuple[Path, Path]] = []
        try:
            for name, (_, after) in changed.items():
                target = (self._directory / name).resolve()
                partial = partial_beside(target)
                moves.append((partial, target))
                mark = _BYTE_ORDER_MARK if self._bytes[name].startswith(_BYTE_ORDER_MARK) else b""
                with partial.open("wb") as stream:
                    stream.write(mark + after.encode())
                    stream.flush()
                    os.fsync(stream.fileno())
                shutil.copymode(target, partial)
            for partial, target in moves:
                partial.replace(target)
            for folder in {target.parent for _, target in moves}:
                sync(folder)
        except OSError as error:
            for partial, _ in moves:
                with suppress(OSError):
                    partial.unlink(missing_ok=True)
            raise Unavailable(
                f"cannot write {error.filename or ', '.join(changed)}: {why(error)}",
                fix="check the disk's space and rights",
            ) from error


def unified_diff(changed: Changed) -> str:
    """A change as `git diff` shows it; empty if there is none."""
    lines = (
        line
        for name, (before, after) in changed.items()
        for line in difflib.unified_diff(
            before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{name}", f"b/{name}"
        )
    )
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def _circuit_files(directory: Path) -> list[str]:
    more = sorted((directory / CIRCUITS_FOLDER).glob("*.yaml"))
    main = [MAIN_FILE] if (directory / MAIN_FILE).is_file() else []
    return main + [f"{CIRCUITS_FOLDER}/{path.name}" for path in more if not path.name.startswith(".")]
