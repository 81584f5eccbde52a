"""Checkpoints in an object store: one object for each, so that an older one never takes the place of a newer."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

from fleetcast.domain.checkpoint import Checkpoint
from fleetcast.domain.errors import BadInput
from fleetcast.domain.location import Location
from fleetcast.platforms.objects.store import ObjectFolder
from fleetcast.stored.checkpoints import CHECKPOINT

_NAME = re.compile(r"(\d{15})-[0-9a-f]{16}\.json")


class ObjectCheckpoints:
    """A folder of objects for each control database; their names begin with the entry, so that they sort by it."""

    def __init__(self, location: Location, is_sound: Callable[[Checkpoint], bool]) -> None:
        """Choose a place.

        Args:
            location: In an object store.
            is_sound: Whether a trusted key has sealed a checkpoint.
        """
        self._location = location
        self._is_sound = is_sound
        self._opened: ObjectFolder | None = None

    def latest(self, database: str) -> Checkpoint | None:
        """The one with the highest entry that a trusted key has sealed; what else is there counts for nothing.

        Raises:
            Unavailable: The store does not answer.
            BadInput: It refuses.
        """
        for name in reversed(self._names(database)):
            found = self._read(name)
            if found is not None:
                return found
        return None

    def odd(self, database: str) -> Sequence[str]:
        """What is there above the last checkpoint, or where one should be, and is none."""
        odd = []
        for name in reversed(self._names(database)):
            if self._read(name) is not None:
                break
            odd.append(f"{self._location}/{name}")
        return odd

    def put(self, database: str, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint beside those before; the same one twice is once.

        Raises:
            Unavailable: The store does not answer.
            BadInput: It refuses.
        """
        content = CHECKPOINT.to_json(checkpoint).encode()
        self._store.put_once(f"{_folder(database)}/{_name(checkpoint)}", content)

    def forget(self, database: str) -> None:
        """Remember nothing of a database any more.

        Raises:
            Unavailable: The store does not answer.
            BadInput: This identity may not remove objects, as it should not: whoever keeps the store has to.
        """
        for name in self._names(database):
            self._store.remove(name)

    def keeper(self) -> int | None:
        """No user of this machine."""
        return None

    @property
    def assumes(self) -> str:
        """Under what the place is independent."""
        return f"if whoever owns the database can only add objects to {self._location}, not replace or remove them"

    @property
    def _store(self) -> ObjectFolder:
        if self._opened is None:
            self._opened = ObjectFolder(self._location)
        return self._opened

    def _names(self, database: str) -> Sequence[str]:
        return sorted(self._store.names(_folder(database)))

    def _read(self, name: str) -> Checkpoint | None:
        last = PurePosixPath(name).name
        content = self._store.get(name) if _NAME.fullmatch(last) else None
        if content is None:
            return None
        try:
            found = CHECKPOINT.from_json(content, f"the checkpoint {self._location}/{name}")
        except BadInput:
            return None
        return found if _name(found) == last and self._is_sound(found) else None


def _folder(database: str) -> str:
    return hashlib.sha256(database.encode()).hexdigest()[:32]


def _name(checkpoint: Checkpoint) -> str:
    """By its entry, and by all of it: two logs that were kept in one place can both have had that entry."""
    whole = hashlib.sha256(CHECKPOINT.to_json(checkpoint).encode()).hexdigest()[:16]
    return f"{checkpoint.seal.mark.number:015d}-{whole}.json"
