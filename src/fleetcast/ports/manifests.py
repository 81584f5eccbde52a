"""What fleetcast needs to remember what each version of a model consisted of when people were asked about it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from fleetcast.domain.manifest import Manifest, ManifestFile, ManifestVerdict

Version = tuple[str, int]
"""A model's name and a number."""


class ManifestBook(Protocol):
    """Keeps signed manifests; the first of a version stays."""

    def lacking(self, versions: Collection[Version]) -> Collection[Version]:
        """Those of some versions that have none."""
        ...

    def sign(self, manifests: Sequence[Manifest]) -> None:
        """Vouch for what versions consist of, with the key of this process; one that has a manifest keeps it.

        Raises:
            BadInput: There is no key to sign with, or others can read it.
        """
        ...

    def ahead(self, versions: Collection[Version]) -> ManifestBook:
        """The same, with the manifests of these versions read now and at once: for whoever opens many of them."""
        ...

    def worth(self, model: str, version: int, files: Sequence[ManifestFile]) -> ManifestVerdict:
        """What the manifest of a version says of files that were read just now.

        Raises:
            Unreadable: It is torn.
        """
        ...
