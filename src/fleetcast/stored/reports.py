"""Reports of what nobody foresaw: what whoever mends it needs, and no secret; each file is its owner's alone."""

from __future__ import annotations

import os
import platform
import re
import shlex
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fleetcast import __version__
from fleetcast.domain.secrets import BLOT, blotted, secret_values
from fleetcast.stored.durable import make_private_folder

_NAMED_IN_SETTINGS = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}|_env(?:ironment)?:\s*([A-Za-z_]\w*)")
_SECRET_OPTION = re.compile(r"(?i)--?[\w-]*(token|password|secret|key|credential|sig)$")
_SETTINGS, _STATE = "fleetcast.yaml", ".fleetcast"
_LONGEST_SETTINGS = 1_000_000
_OWN = "fleetcast"
_TRIES = 100


@dataclass(frozen=True, slots=True)
class Report:
    """One error that nobody foresaw."""

    error: BaseException
    words: Sequence[str]
    """Of the command line."""
    at: datetime
    fleet: Path
    """The folder of the fleet that it is about."""

    @property
    def place(self) -> str:
        """Where it arose: the last line of ours that it went through."""
        frames = traceback.extract_tb(self.error.__traceback__)
        for frame in reversed(frames):
            parts = Path(frame.filename).parts
            if _OWN in parts and "site-packages" not in parts[parts.index(_OWN) + 1 :]:
                last = len(parts) - 1 - parts[::-1].index(_OWN)
                return f"{'/'.join(parts[last:])}:{frame.lineno}"
        return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown place"

    @property
    def kind(self) -> str:
        """What the error is called."""
        return type(self.error).__name__

    def text(self, environment: Mapping[str, str], named: Sequence[str] = ()) -> str:
        """What is sent.

        Args:
            environment: Of the process; values in it that are secrets are nowhere in the text.
            named: More variables that hold secrets.
        """
        lines = [
            f"fleetcast {__version__}: {self.kind} at {self.place}",
            "",
            f"when      {self.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            f"command   {_OWN} {shlex.join(_without_values(self.words))}",
            f"folder    {_working_folder()}",
            f"python    {sys.version.split()[0]} ({sys.implementation.name})",
            f"platform  {platform.platform()}",
            "",
            "Passwords, tokens and secret values of the environment are blotted out. Names of plants, sensors, people",
            "and folders may stand below: look it through before you send it.",
            "",
            self.traceback(environment, named),
        ]
        return blotted("\n".join(lines), secret_values(environment, named))

    def traceback(self, environment: Mapping[str, str], named: Sequence[str] = ()) -> str:
        """The way that the error took, without secrets."""
        lines = traceback.format_exception(self.error)
        return blotted("".join(lines), secret_values(environment, named))


def keep(report: Report, environment: Mapping[str, str]) -> tuple[Path | None, str]:
    """Write a report: into the fleet's own folder where there is one, else the user's, else the temporary one.

    Returns:
        Where it is; or None, and why the last folder did not take it.
    """
    content = report.text(environment, variables_named_in(report.fleet)).encode("utf-8", "replace")
    why = ""
    for folder in _folders(report.fleet, environment):
        try:
            return _write_new(folder, report, content), ""
        except OSError as error:
            why = (error.strerror or type(error).__name__).lower()
    try:
        opened, path = tempfile.mkstemp(".txt", "fleetcast-report-")
    except OSError as error:
        return None, why or (error.strerror or type(error).__name__).lower()
    return _filled(opened, Path(path), content)


def fleet_of(words: Sequence[str]) -> Path:
    """The folder of the fleet that a command line is about."""
    for number, word in enumerate(words):
        name, is_there, value = word.partition("=")
        if name == "--fleet":
            return Path(value) if is_there else Path(*words[number + 1 : number + 2])
    return Path()


def variables_named_in(fleet: Path) -> list[str]:
    """Environment variables that the settings of a fleet name, as what they hold may be secret."""
    try:
        with (fleet / _SETTINGS).open(encoding="utf-8", errors="replace") as file:
            return [one or other for one, other in _NAMED_IN_SETTINGS.findall(file.read(_LONGEST_SETTINGS))]
    except OSError:
        return []


def _folders(fleet: Path, environment: Mapping[str, str]) -> Iterator[Path]:
    if (fleet / _STATE).is_dir():
        yield fleet / _STATE / "reports"
    state = environment.get("XDG_STATE_HOME", "")
    if Path(state).is_absolute():
        yield Path(state) / _OWN / "reports"
        return
    with suppress(RuntimeError):  # this user has no home
        yield Path.home() / ".local" / "state" / _OWN / "reports"


def _write_new(folder: Path, report: Report, content: bytes) -> Path:
    make_private_folder(folder)
    stem = f"{report.at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{report.kind}-{os.getpid()}"
    for number in range(1, _TRIES):
        path = folder / (f"{stem}.txt" if number == 1 else f"{stem}-{number}.txt")
        try:
            opened = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
        except FileExistsError:
            continue
        written, why = _filled(opened, path, content)
        if written is None:
            raise OSError(0, why)
        return written
    raise FileExistsError(0, "it holds too many")


def _filled(opened: int, path: Path, content: bytes) -> tuple[Path | None, str]:
    """Fill a file that was just made; one that cannot be filled is removed."""
    try:
        with os.fdopen(opened, "wb") as file:
            os.fchmod(opened, 0o600)
            file.write(content)
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        return None, (error.strerror or type(error).__name__).lower()
    return path.absolute(), ""


def _without_values(words: Sequence[str]) -> list[str]:
    """The words of a command without what follows an option that takes a secret."""
    return [
        BLOT if number and _SECRET_OPTION.match(words[number - 1]) else word
        for number, word in enumerate(words)
    ]


def _working_folder() -> str:
    try:
        return str(Path.cwd())
    except OSError:
        return "was removed"
