"""Resources, each under its id in whatever case, kept as one file that appears whole or not at all."""

from __future__ import annotations

import copy
import hashlib
import itertools
import json
import os
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from fleetcast.ports.clock import Clock
from tests.azure_emulator.messages import Json, Refused


@dataclass(frozen=True, slots=True)
class Record:
    """A resource as it is shown, and what the emulator knows besides."""

    id: str
    body: Json
    kept: Json = field(default_factory=dict)
    number: int = 0
    """Later ones have higher ones; stays when the resource changes."""


class Store:
    """Resources below a folder; may be used from any thread. What is given out is a copy."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._clock = clock
        self._records: dict[str, Record] = {}
        self._below: defaultdict[str, set[str]] = defaultdict(set)
        self.lock = threading.RLock()
        """Held by whoever reads in order to write."""
        for file in folder.glob("*.json"):
            said = json.loads(file.read_bytes())
            self._hold(Record(said["id"], said["body"], said["kept"], said["number"]))
        newest = max((record.number for record in self._records.values()), default=0)
        self._numbers = itertools.count(newest + 1)

    def find(self, identity: str) -> Record | None:
        """The resource of that id; None if there is none."""
        with self.lock:
            return copy.deepcopy(self._records.get(identity.lower()))

    def get(self, identity: str) -> Record:
        """The resource of that id.

        Raises:
            Refused: There is none.
        """
        found = self.find(identity)
        if found is None:
            raise Refused(404, "ResourceNotFound", f"The Resource '{identity}' was not found.")
        return found

    def children(self, parent: str) -> Sequence[Record]:
        """The resources right below an id, oldest first."""
        with self.lock:
            found = [self._records[key] for key in self._below.get(parent.lower(), ())]
            return copy.deepcopy(sorted(found, key=lambda record: record.number))

    def write(self, identity: str, body: Json, kept: Json | None = None) -> Record:
        """Keep a resource, in place of an earlier one; when it was made and changed is noted in it."""
        with self.lock:
            now = self._clock.now().isoformat().replace("+00:00", "Z")
            earlier = self._records.get(identity.lower())
            made = earlier.body.get("systemData") if earlier else None
            body = copy.deepcopy(body)
            body["systemData"] = {
                "createdAt": now,
                "createdBy": "emulator",
                "createdByType": "Application",
                **(made if isinstance(made, dict) else {}),
                "lastModifiedAt": now,
            }
            record = Record(
                earlier.id if earlier else identity,
                body,
                copy.deepcopy(kept if kept is not None else earlier.kept if earlier else {}),
                earlier.number if earlier else next(self._numbers),
            )
            self._save(record)
            return copy.deepcopy(record)

    def keep(self, record: Record, kept: Json) -> None:
        """Note something besides what is shown."""
        with self.lock:
            self._save(replace(self.get(record.id), kept=copy.deepcopy(kept)))

    def remove(self, identity: str) -> None:
        """Forget a resource and all below it."""
        with self.lock:
            key = identity.lower()
            for one in [one for one in self._records if one == key or one.startswith(f"{key}/")]:
                self._file(one).unlink(missing_ok=True)
                del self._records[one]
                self._below[one.rpartition("/")[0]].discard(one)

    def _save(self, record: Record) -> None:
        said = {"id": record.id, "number": record.number, "body": record.body, "kept": record.kept}
        file = self._file(record.id.lower())
        partial = file.with_suffix(".partial")
        partial.write_text(json.dumps(said))
        os.replace(partial, file)  # noqa: PTH105  # one move
        self._hold(record)

    def _hold(self, record: Record) -> None:
        key = record.id.lower()
        self._records[key] = record
        self._below[key.rpartition("/")[0]].add(key)

    def _file(self, key: str) -> Path:
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()}.json"
