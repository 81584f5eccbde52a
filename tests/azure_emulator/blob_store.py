"""Blobs of storage accounts: each a file with a line of properties before its content."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import threading
import uuid
from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from fleetcast.ports.clock import Clock
from tests.azure_emulator.messages import Refused


@dataclass(frozen=True, slots=True)
class Place:
    """A blob, or what its name begins with."""

    account: str
    container: str
    name: str = ""

    @property
    def url(self) -> str:
        return f"https://{self.account}.blob.core.windows.net/{self.container}/{self.name}".rstrip("/")

    def below(self, name: str) -> Place:
        """Something in this folder."""
        return replace(self, name=f"{self.name.rstrip('/')}/{name}".strip("/"))


@dataclass(frozen=True, slots=True)
class Blob:
    """What is known of a blob besides its content."""

    name: str
    file: Path
    size: int
    md5: str
    etag: str
    modified: datetime
    content_type: str = "application/octet-stream"
    metadata: Mapping[str, str] = field(default_factory=dict)

    def content(self, start: int = 0, end: int | None = None) -> bytes:
        """The bytes from `start` up to before `end`."""
        with self.file.open("rb") as opened:
            opened.readline()
            opened.seek(start, os.SEEK_CUR)
            return opened.read((self.size if end is None else end) - start)


class BlobStore:
    """All accounts; may be used from any thread. An account is there as soon as somebody names it."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._containers: dict[tuple[str, str], dict[str, Blob]] = {}
        self._names: dict[tuple[str, str], list[str]] = {}
        self._blocks: dict[tuple[Place, str], bytes] = {}
        self._lock = threading.RLock()
        folder.mkdir(parents=True, exist_ok=True)
        for container in folder.glob("*/*"):
            key = (container.parent.name, container.name)
            blobs = [_read(file) for file in container.glob("*.blob")]
            self._containers[key] = {blob.name: blob for blob in blobs}
            self._names[key] = sorted(blob.name for blob in blobs)

    def make_container(self, account: str, container: str) -> bool:
        """Make a container; gives whether there was none."""
        with self._lock:
            if self.has_container(account, container):
                return False
            (self._folder / account / container).mkdir(parents=True)
            self._containers[account, container] = {}
            self._names[account, container] = []
            return True

    def has_container(self, account: str, container: str) -> bool:
        return (account, container) in self._containers

    def find(self, place: Place) -> Blob | None:
        """A blob; None if there is none.

        Raises:
            Refused: There is no such container.
        """
        with self._lock:
            return self._container(place).get(place.name)

    def put(
        self,
        place: Place,
        content: bytes,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> Blob:
        """Write a blob, in place of an earlier one."""
        with self._lock:
            blobs = self._container(place)
            folder = self._folder / place.account / place.container
            blob = Blob(
                place.name,
                folder / f"{hashlib.sha256(place.name.encode()).hexdigest()}.blob",
                len(content),
                base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode(),
                f'"0x{uuid.uuid4().hex[:15].upper()}"',
                self._clock.now(),
                content_type,
                metadata or {},
            )
            partial = blob.file.with_suffix(".partial")
            partial.write_bytes(_head(blob) + content)
            partial.replace(blob.file)
            if place.name not in blobs:
                insort(self._names[place.account, place.container], place.name)
            blobs[place.name] = blob
            return blob

    def remove(self, place: Place) -> bool:
        """Remove a blob; gives whether it was there."""
        with self._lock:
            blob = self._container(place).pop(place.name, None)
            if blob is None:
                return False
            self._names[place.account, place.container].remove(place.name)
            blob.file.unlink()
            return True

    def stage(self, place: Place, block: str, content: bytes) -> None:
        """Keep a part of a blob that is yet to be."""
        with self._lock:
            self._container(place)
            self._blocks[place, block] = content

    def commit(
        self, place: Place, blocks: Sequence[str], content_type: str, metadata: Mapping[str, str]
    ) -> Blob:
        """Make a blob of the parts that are kept for it.

        Raises:
            Refused: One of them is not there.
        """
        with self._lock:
            missing = [block for block in blocks if (place, block) not in self._blocks]
            if missing:
                raise Refused(400, "InvalidBlockList", f"there is no block {missing[0]}")
            content = b"".join(self._blocks[place, block] for block in blocks)
            self._blocks = {key: kept for key, kept in self._blocks.items() if key[0] != place}
            return self.put(place, content, content_type=content_type, metadata=metadata)

    def below(self, place: Place) -> Iterator[Blob]:
        """The blobs whose names begin with that of the place, by name."""
        with self._lock:
            blobs = self._container(place)
            names = self._names[place.account, place.container]
            found = []
            for name in names[bisect_left(names, place.name) :]:
                if not name.startswith(place.name):
                    break
                found.append(blobs[name])
        yield from found

    def download(self, place: Place, target: Path) -> None:
        """Write a folder of blobs, or the one blob of that name, below a folder of this machine.

        Raises:
            Refused: A blob's name leads out of it, or there is none at all.
        """
        folder = replace(place, name=place.name.rstrip("/") + "/" if place.name else "")
        found = list(self.below(folder))
        one = self.find(place) if place.name else None
        if one is None and not found:
            raise Refused(404, "NotFound", f"there is nothing at {place.url}")
        if one is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(one.content())
            return
        for blob in found:
            file = (target / blob.name.removeprefix(folder.name)).resolve()
            if not file.is_relative_to(target.resolve()):
                raise Refused(400, "InvalidBlobName", f"{blob.name} leads out of its folder")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(blob.content())

    def upload(self, source: Path, place: Place) -> None:
        """Put the files of a folder over what is at a place; a single file is put there itself."""
        if source.is_file():
            self.put(place, source.read_bytes())
            return
        for file in sorted(file for file in source.rglob("*") if file.is_file()):
            self.put(place.below(file.relative_to(source).as_posix()), file.read_bytes())

    def copy(self, source: Place, target: Place) -> None:
        """Put a folder of blobs, or a single one, elsewhere."""
        for blob in self.below(source):
            rest = blob.name.removeprefix(source.name).strip("/")
            self.put(target.below(rest) if rest else target, blob.content(), metadata=blob.metadata)

    def _container(self, place: Place) -> dict[str, Blob]:
        try:
            return self._containers[place.account, place.container]
        except KeyError as error:
            raise Refused(404, "ContainerNotFound", "The specified container does not exist.") from error


def _head(blob: Blob) -> bytes:
    said = {
        "name": blob.name,
        "size": blob.size,
        "md5": blob.md5,
        "etag": blob.etag,
        "modified": blob.modified.isoformat(),
        "content_type": blob.content_type,
        "metadata": dict(blob.metadata),
    }
    return json.dumps(said).encode() + b"\n"


def _read(file: Path) -> Blob:
    with file.open("rb") as opened:
        said = json.loads(opened.readline())
    return Blob(
        said["name"],
        file,
        said["size"],
        said["md5"],
        said["etag"],
        datetime.fromisoformat(said["modified"]),
        said["content_type"],
        said["metadata"],
    )
