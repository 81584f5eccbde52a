"""Look at releases: what serves, what one holds, and what lies between two of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from fleetcast.domain.errors import BadInput
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import (
    CircuitChange,
    Composed,
    Endpoint,
    NumberedRelease,
    Release,
    ReleaseName,
    changes,
)
from fleetcast.domain.role import Right
from fleetcast.pipeline.releases import SERVED_IN, composed_plants, what_there_is
from fleetcast.ports.platform import Control, Platform
from fleetcast.ports.releases import ReleaseBook


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """One plant in one environment."""

    endpoint: Endpoint
    live: NumberedRelease | None
    newest: NumberedRelease


@dataclass(frozen=True, slots=True)
class History:
    """The last releases of one endpoint, newest first."""

    endpoint: Endpoint
    live: int | None
    releases: tuple[NumberedRelease, ...]


@dataclass(frozen=True, slots=True)
class ReleaseShown:
    """One release, and whether it serves."""

    release: NumberedRelease
    is_live: bool


@dataclass(frozen=True, slots=True)
class ReleaseDiff:
    """What another release in place of one changes for the clients of a plant."""

    before: NumberedRelease | None
    """None: nothing serves yet."""
    after: NumberedRelease | Composed
    """A release there is, or what would be served if the fleet were deployed as it is declared now."""
    circuits: tuple[CircuitChange, ...] = field(default=())

    @property
    def environment_versions(self) -> tuple[str | None, str | None]:
        """Of the environment asset, before and after."""
        after = _of(self.after)
        return (
            None if self.before is None else self.before.release.environment_version,
            None if after is None else after.environment_version,
        )


@dataclass(frozen=True, slots=True)
class InspectReleases:
    """Look, and change nothing.

    Raises:
        Denied: At each call, where whoever acts may not look.
    """

    control: Control

    def endpoints(self, environments: Sequence[EnvironmentName] = SERVED_IN) -> tuple[EndpointRow, ...]:
        """Every plant that has a release, in these environments."""
        self.control.require(Right.VIEW)
        return tuple(row for environment in environments for row in self._rows(environment))

    def history(self, endpoint: Endpoint, count: int) -> History:
        """The last releases of an endpoint.

        Raises:
            BadInput: It has none.
        """
        self.control.require(Right.VIEW)
        releases = tuple(self._book.history(endpoint, count))
        if not releases:
            raise _never_released(endpoint)
        live = self._live(endpoint)
        return History(endpoint, None if live is None else live.number, releases)

    def show(self, name: ReleaseName) -> ReleaseShown:
        """One release; without a number the one that serves, or else the newest.

        Raises:
            BadInput: There is no such release.
        """
        self.control.require(Right.VIEW)
        found = self._named(name)
        return ReleaseShown(found, found == self._live(name.endpoint))

    def diff(self, before: ReleaseName, after: ReleaseName) -> ReleaseDiff:
        """What lies between two releases.

        Raises:
            BadInput: One of them is not there, or they are of two plants.
        """
        self.control.require(Right.VIEW)
        if before.endpoint.plant != after.endpoint.plant:
            raise BadInput(
                f"{before.endpoint} and {after.endpoint} serve two plants",
                fix="name two releases of one plant",
            )
        first, second = self._named(before), self._named(after)
        return ReleaseDiff(first, second, changes(first.release, second.release))

    @property
    def _book(self) -> ReleaseBook:
        return self.control.releases

    def _rows(self, environment: EnvironmentName) -> Iterator[EndpointRow]:
        live = self._book.live(environment)
        for plant, newest in self._book.newest(environment).items():
            yield EndpointRow(newest.release.endpoint, live.get(plant), newest)

    def _live(self, endpoint: Endpoint) -> NumberedRelease | None:
        return self._book.live(endpoint.environment).get(endpoint.plant)

    def _named(self, name: ReleaseName) -> NumberedRelease:
        if name.number is not None:
            return self._book.find(name.endpoint, name.number)
        newest = self._book.history(name.endpoint, 1)
        if not newest:
            raise _never_released(name.endpoint)
        return self._live(name.endpoint) or newest[0]


@dataclass(frozen=True, slots=True)
class ShowUndeployed:
    """What deploying the fleet as it is declared now would change at an endpoint."""

    platform: Platform

    def __call__(self, fleet: Fleet, endpoint: Endpoint) -> ReleaseDiff:
        """Compose the release, and keep nothing of it.

        Raises:
            Denied: Whoever acts may not look.
            BadInput: The fleet has no such plant, nothing is served in this environment, or the declared environment
                version is not shared yet.
        """
        control = self.platform.control
        control.require(Right.VIEW)
        environment = endpoint.environment
        there = what_there_is(self.platform, environment)
        (found,) = composed_plants(fleet, environment, there, [endpoint.plant])
        release = found.composed.release
        before = None if found.live is None else found.live.release
        return ReleaseDiff(found.live, found.composed, () if release is None else changes(before, release))


def _of(after: NumberedRelease | Composed) -> Release | None:
    return after.release


def _never_released(endpoint: Endpoint) -> BadInput:
    return BadInput(
        f"nothing was ever released at {endpoint}", fix="see what was with `fleetcast releases list`"
    )
