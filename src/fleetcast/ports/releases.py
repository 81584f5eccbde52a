"""What fleetcast needs to remember of releases, and of which of them serve."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from fleetcast.domain.identity import Digest
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import Endpoint, NumberedRelease, Release


class ReleaseBook(Protocol):
    """Keeps releases for ever; each change with its audit entry, a repeat without."""

    def keep(self, releases: Sequence[Release]) -> Sequence[NumberedRelease]:
        """Number releases at their endpoints, all or none, in order; one with the same content is given as it is."""
        ...

    def find(self, endpoint: Endpoint, number: int) -> NumberedRelease:
        """One release.

        Raises:
            BadInput: There is none of this number.
        """
        ...

    def of_digests(self, digests: Collection[Digest]) -> Mapping[Digest, NumberedRelease]:
        """Those of some releases that are kept."""
        ...

    def history(self, endpoint: Endpoint, count: int) -> Sequence[NumberedRelease]:
        """The last releases of an endpoint, newest first."""
        ...

    def newest(self, environment: EnvironmentName) -> Mapping[str, NumberedRelease]:
        """The last release of each plant, in one reading."""
        ...

    def live(self, environment: EnvironmentName) -> Mapping[str, NumberedRelease]:
        """What each plant is served by, in one reading; plants that are served by nothing are not in it."""
        ...

    def make_live(self, releases: Sequence[NumberedRelease]) -> None:
        """Note what serves from now on, all or none.

        Raises:
            BadInput: A release was never kept.
        """
        ...

    def digests(self) -> Mapping[str, Digest]:
        """What every release is, by how people name it: to be held against the audit log."""
        ...
