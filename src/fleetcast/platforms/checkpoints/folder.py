"""Checkpoints in a folder: of this user, or one that somebody else keeps."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from fleetcast.domain.checkpoint import Checkpoint
from fleetcast.domain.errors import BadInput
from fleetcast.stored.checkpoints import CHECKPOINT
from fleetcast.stored.durable import make_private_folder, write_secret


class FolderCheckpoints:
    """One small file for each control database."""

    def __init__(self, folder: Callable[[], Path]) -> None:
        self._where = folder

    @cached_property
    def folder(self) -> Path:
        """Where they are."""
        return self._where()

    def latest(self, database: str) -> Checkpoint | None:
        """The last checkpoint of a database."""
        path = self._path(database)
        try:
            text = path.read_bytes()
        except OSError:
            return None
        try:
            return CHECKPOINT.from_json(text, f"the checkpoint {path}")
        except BadInput:  # torn, or written over: it says nothing any more, and the next one takes its place
            return None

    def odd(self, database: str) -> Sequence[str]:
        """The file of a database, if it cannot be read."""
        path = self._path(database)
        return (str(path),) if path.exists() and self.latest(database) is None else ()

    def put(self, database: str, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint in place of the one before."""
        with suppress(OSError):
            make_private_folder(self.folder)
            write_secret(self._path(database), CHECKPOINT.to_json(checkpoint).encode(), replace=True)

    def forget(self, database: str) -> None:
        """Remember nothing of a database any more."""
        with suppress(OSError):
            self._path(database).unlink(missing_ok=True)

    @property
    def assumes(self) -> str:
        """Nothing: the folder has an owner."""
        return ""

    def keeper(self) -> int | None:
        """The number of the user whom the folder belongs to."""
        try:
            return self.folder.stat().st_uid
        except OSError:
            return None

    def _path(self, database: str) -> Path:
        return self.folder / f"{hashlib.sha256(database.encode()).hexdigest()[:32]}.json"
