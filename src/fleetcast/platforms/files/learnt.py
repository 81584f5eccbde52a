"""Learnt profiles as files in the state directory, one for each circuit and environment."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.domain.place import EnvironmentName
from fleetcast.stored.durable import write_in_one_move

_MAGIC = b"fleetcast learnt 1\n"
_DIGEST = 32
_HEAD = len(_MAGIC) + 2 * _DIGEST


class FileLearntProfiles:
    """Keeps each profile after the digests of its source and of itself; see `LearntProfiles`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def file(self, environment: EnvironmentName, key: CircuitKey) -> Path:
        """Where a circuit's profile is, or would be."""
        return self._folder / environment.value / key.plant / f"{key.circuit}.learnt"

    def load(self, environment: EnvironmentName, key: CircuitKey, source: Digest) -> bytes | None:
        """What was kept last, if it was learnt from that."""
        try:
            with self.file(environment, key).open("rb") as file:
                head = file.read(_HEAD)
                if head[:-_DIGEST] != _MAGIC + bytes.fromhex(source.hex):
                    return None
                content = file.read()
        except OSError:
            return None
        return content if sha256(content).digest() == head[-_DIGEST:] else None

    def keep(self, environment: EnvironmentName, key: CircuitKey, source: Digest, content: bytes) -> None:
        """Keep a profile in place of an earlier one."""
        head = _MAGIC + bytes.fromhex(source.hex) + sha256(content).digest()
        with suppress(OSError):
            write_in_one_move(self.file(environment, key), head + content)
