"""Where in the workspace's datastore the files of a fleet are: the same container that fleetcast reaches by itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from fleetcast.domain.location import Location
from fleetcast.platforms.objects.store import ObjectFolder


@dataclass(frozen=True)
class DatastorePlaces:
    """One folder of a container, by both its names."""

    storage: Location
    """As `platform.storage` says it."""
    datastore: str
    """The datastore that stands for the container."""

    def uri(self, below: str = "") -> str:
        """How Azure ML names a folder or file below it."""
        path = "/".join(part for part in (self.storage.path.strip("/"), below.strip("/")) if part)
        return f"azureml://datastores/{self.datastore}/paths/{path}"

    def put(self, name: str, content: bytes) -> None:
        """Write a file, in place of an earlier one; raises `Unavailable` or `BadInput` where the store refuses."""
        self._objects.put(name, content)

    def get(self, name: str) -> bytes | None:
        """A file's content; None if there is none."""
        return self._objects.get(name)

    @cached_property
    def _objects(self) -> ObjectFolder:
        return ObjectFolder(self.storage)
