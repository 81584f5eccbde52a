"""What each version of a model consists of: signed before people are asked about it, and compared before it is used."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from fleetcast.domain.approval import RequestState
from fleetcast.domain.identity import Digest
from fleetcast.domain.manifest import Manifest, ManifestFile, Signed, Unsigned, manifest_in_words
from fleetcast.domain.model import ModelVersion
from fleetcast.ports.approvals import ApprovalBook
from fleetcast.ports.artifacts import ArtifactMissing, ArtifactStore
from fleetcast.ports.manifests import ManifestBook, Version
from fleetcast.ports.platform import Platform

Files = tuple[ManifestFile, ...]
NOTHING_READ: Mapping[Digest, Files] = MappingProxyType({})
_AT_ONCE = 500
_MISSING = (
    "it has no signed manifest: raise `revision` to train it again, or write `unsigned: allowed` at the gate"
)


@dataclass(frozen=True, slots=True)
class Manifests:
    """Signs manifests, and holds what is about to be used against them."""

    book: ManifestBook
    approvals: ApprovalBook
    artifacts: ArtifactStore

    @classmethod
    def of(cls, platform: Platform) -> Manifests:
        """Those of a platform."""
        control = platform.control
        return cls(control.manifests, control.approvals, platform.workspace.artifacts)

    def sign(self, versions: Sequence[ModelVersion], read: Mapping[Digest, Files] = NOTHING_READ) -> None:
        """Sign what versions consist of that have no manifest yet, but none that somebody has decided on.

        After that nobody vouches for it any more: where a manifest was removed, what it stood for is not signed again.

        Args:
            versions: What people are asked about.
            read: By artifact, the files of those that were read just now: they are not read again.
        """
        lacking = set(self.book.lacking([(version.name, version.version) for version in versions]))
        new = [version for version in versions if (version.name, version.version) in lacking]
        if not new:
            return
        decided = self._decided(new)
        unsigned = [version for version in new if (version.name, version.version) not in decided]
        for some in _batches(unsigned):
            self.book.sign(list(self._manifests(some, read)))

    def ahead(self, versions: Collection[Version]) -> Manifests:
        """The same, with the manifests of these versions read at once."""
        return replace(self, book=self.book.ahead(versions))

    def amiss(self, name: str, version: int, artifact: Digest, *, unsigned_allowed: bool) -> str:
        """Why a version cannot be used, after reading every byte of it; empty if it can.

        Args:
            name: Of the model.
            version: Which one.
            artifact: Where its files are said to be.
            unsigned_allowed: Whether it may have no manifest.
        """
        try:
            files = self.artifacts.files(artifact)
        except ArtifactMissing as error:
            return str(error)
        return self.differs(name, version, files, unsigned_allowed=unsigned_allowed)

    def differs(self, name: str, version: int, files: Files, *, unsigned_allowed: bool) -> str:
        """Why files cannot be used as a version; empty if they can.

        Args:
            name: Of the model.
            version: Which one.
            files: As they were read just now, and are used.
            unsigned_allowed: Whether it may have no manifest.
        """
        verdict = self.book.worth(name, version, files)
        if isinstance(verdict, Signed):
            return ""
        if isinstance(verdict, Unsigned):
            return "" if unsigned_allowed else _MISSING
        return f"its signed manifest {manifest_in_words(verdict)}"

    def _decided(self, versions: Sequence[ModelVersion]) -> set[Version]:
        over = (RequestState.VOID, RequestState.LAPSED)
        return {
            (request.subject.name, int(request.subject.version))
            for request in self.approvals.of_models([version.name for version in versions])
            if request.decisions and request.state not in over
        }

    def _manifests(
        self, versions: Sequence[ModelVersion], read: Mapping[Digest, Files]
    ) -> Iterator[Manifest]:
        for version in versions:
            artifact = version.model.artifact
            try:
                files = read[artifact] if artifact in read else self.artifacts.files(artifact)
            except ArtifactMissing:
                continue  # which is said where it is to be used
            yield Manifest.of(version.name, version.version, files)


def _batches(versions: Sequence[ModelVersion]) -> Iterator[Sequence[ModelVersion]]:
    for start in range(0, len(versions), _AT_ONCE):
        yield versions[start : start + _AT_ONCE]
