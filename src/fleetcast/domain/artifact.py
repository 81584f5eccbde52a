"""An artifact: the files of a trained model, named by the digest of all of them together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from fleetcast.domain.canonical import digest_of
from fleetcast.domain.identity import CircuitKey, Digest


@dataclass(frozen=True, slots=True)
class UnloadableModel:
    """A version in use whose files are lost or damaged, so that it cannot forecast."""

    key: CircuitKey
    model: str
    version: int
    is_champion: bool
    """False: it is what the circuit uses, and waits to be promoted."""
    why: str


@dataclass(frozen=True)  # without slots: the digests are kept once they are computed
class ArtifactFiles:
    """The files of an artifact, read once: what is used is what was hashed."""

    place: str
    """Where they were read, for errors."""
    content: Mapping[str, bytes]
    """By name relative to the artifact, with slashes."""

    @cached_property
    def digests(self) -> Mapping[str, Digest]:
        """Of each file, by its name."""
        return {name: Digest.of(content) for name, content in self.content.items()}

    @property
    def digest(self) -> Digest:
        """The artifact's name."""
        return artifact_digest(self.digests.items())


def artifact_digest(files: Iterable[tuple[str, Digest]]) -> Digest:
    """The digest of an artifact, from the names and digests of its files in any order."""
    ordered = sorted(files, key=lambda file: file[0].split("/"))
    return digest_of([[name, digest.hex] for name, digest in ordered])
