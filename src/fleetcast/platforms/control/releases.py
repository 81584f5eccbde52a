"""Releases in the control database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from fleetcast.domain import happened
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import Digest
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import Endpoint, NumberedRelease, Release
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.columns import TORN, whole_number
from fleetcast.platforms.database.session import Kept, changes, chunks, met, reads
from fleetcast.stored.form import unreadable
from fleetcast.stored.releases import NUMBERED_RELEASE

_releases, _live = schema.releases, schema.live_releases


class ControlReleaseBook(Kept):
    """Keeps releases by endpoint and number."""

    @changes
    def keep(self, connection: Connection, releases: Sequence[Release]) -> Sequence[NumberedRelease]:
        """Number releases; one with the same content is given as it is."""
        _check_files(connection, releases)
        held = _with_digests(connection, [release.digest for release in releases])
        last = _last_numbers(connection)
        new = []
        for release in releases:
            if release.digest in held:
                continue
            number = last[release.endpoint] = last.get(release.endpoint, 0) + 1
            made = NumberedRelease(number, release, self.session.clock.now(), self.session.actor.name)
            held[release.digest] = made
            new.append(made)
        if new:
            rows = [
                {
                    "environment": one.release.environment.value,
                    "plant": one.release.plant,
                    "number": one.number,
                    "digest": one.release.digest.hex,
                    "content": NUMBERED_RELEASE.to_json(one),
                }
                for one in new
            ]
            connection.execute(sa.insert(_releases), rows)
        self.session.audit(connection, [happened.release_composed(one) for one in new])
        return [held[release.digest] for release in releases]

    @reads
    def find(self, connection: Connection, endpoint: Endpoint, number: int) -> NumberedRelease:
        """One release."""
        row = connection.execute(_query(endpoint).where(_releases.c.number == number)).first()
        if row is None:
            raise BadInput(
                f"there is no release {endpoint}:{number}",
                fix=f"see those there are with `fleetcast releases list {endpoint}`",
            )
        return _release(row)

    @reads
    def of_digests(
        self, connection: Connection, digests: Collection[Digest]
    ) -> Mapping[Digest, NumberedRelease]:
        """Those of some releases that are kept."""
        return _with_digests(connection, list(digests))

    @reads
    def history(self, connection: Connection, endpoint: Endpoint, count: int) -> Sequence[NumberedRelease]:
        """The last releases of an endpoint, newest first."""
        query = _query(endpoint).order_by(_releases.c.number.desc()).limit(count)
        return [_release(row) for row in connection.execute(query)]

    @reads
    def newest(self, connection: Connection, environment: EnvironmentName) -> Mapping[str, NumberedRelease]:
        """The last release of each plant."""
        return _joined(connection, environment, _newest(environment))

    @reads
    def live(self, connection: Connection, environment: EnvironmentName) -> Mapping[str, NumberedRelease]:
        """What each plant is served by."""
        chosen = sa.select(_live.c.plant, _live.c.number).where(_live.c.environment == environment.value)
        held = _joined(connection, environment, chosen.subquery())
        for row in connection.execute(chosen.order_by(_live.c.plant)):
            if row.plant not in held:
                raise unreadable(f"live_releases {environment}/{row.plant}")
        return held

    @changes
    def make_live(self, connection: Connection, releases: Sequence[NumberedRelease]) -> None:
        """Note what serves from now on."""
        known = _with_digests(connection, [one.release.digest for one in releases])
        for one in releases:
            if known.get(one.release.digest) != one:
                raise BadInput(f"release {one} was never kept", fix="compose it anew")
        before = _live_numbers(connection)
        new = {one.release.endpoint: one for one in releases}
        new = {endpoint: one for endpoint, one in new.items() if before.get(endpoint) != one.number}
        for endpoint in new:
            if endpoint in before:
                gone = sa.delete(_live).where(*_at(_live, endpoint))
                met(connection.execute(gone), 1, f"what is live at {endpoint}")
        if new:
            rows = [
                {"environment": at.environment.value, "plant": at.plant, "number": one.number}
                for at, one in new.items()
            ]
            connection.execute(sa.insert(_live), rows)
        events = [happened.release_made_live(one, before.get(endpoint)) for endpoint, one in new.items()]
        self.session.audit(connection, events)

    @reads
    def digests(self, connection: Connection) -> Mapping[str, Digest]:
        """What every release is, by how people name it."""
        found: dict[str, Digest] = {}
        columns = (_releases.c.environment, _releases.c.plant, _releases.c.number, _releases.c.digest)
        for row in connection.execute(sa.select(*columns)):
            name = f"{row.environment}/{row.plant}:{row.number}"
            try:
                found[name] = Digest(row.digest)
            except TORN as error:
                raise unreadable(f"releases {name}") from error
        return found


def served_soon(connection: Connection) -> set[tuple[str, int]]:
    """The versions that serve, or are in the newest release of a plant, and may serve next; by name and number."""
    found = []
    for environment in EnvironmentName:
        live = sa.select(_live.c.plant, _live.c.number).where(_live.c.environment == environment.value)
        found += [*_joined(connection, environment, live.subquery()).values()]
        found += [*_joined(connection, environment, _newest(environment)).values()]
    return {(model.name, model.version) for one in found for model in one.release.circuits.values()}


def _newest(environment: EnvironmentName) -> sa.Subquery:
    return (
        sa.select(_releases.c.plant, sa.func.max(_releases.c.number).label("number"))
        .where(_releases.c.environment == environment.value)
        .group_by(_releases.c.plant)
        .subquery()
    )


def _check_files(connection: Connection, releases: Sequence[Release]) -> None:
    """Refuse to compose what retention has taken the files of meanwhile."""
    table = schema.removed_artifacts
    gone = {(row.name, row.version) for row in connection.execute(sa.select(table.c.name, table.c.version))}
    for release in releases if gone else ():
        for circuit, model in release.circuits.items():
            if (model.name, model.version) in gone:
                raise BadInput(
                    f"{release.endpoint} cannot serve {model} for {circuit}: retention removed its files",
                    fix="compose it anew, with what is there: run the same command again",
                )


def _query(endpoint: Endpoint) -> sa.Select[tuple[str, str, int, str, str]]:
    return sa.select(_releases).where(*_at(_releases, endpoint))


def _at(table: sa.Table, endpoint: Endpoint) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return table.c.environment == endpoint.environment.value, table.c.plant == endpoint.plant


def _joined(
    connection: Connection, environment: EnvironmentName, chosen: sa.Subquery
) -> dict[str, NumberedRelease]:
    same = (_releases.c.plant == chosen.c.plant) & (_releases.c.number == chosen.c.number)
    query = sa.select(_releases).join(chosen, same).where(_releases.c.environment == environment.value)
    return {row.plant: _release(row) for row in connection.execute(query.order_by(_releases.c.plant))}


def _with_digests(connection: Connection, digests: Sequence[Digest]) -> dict[Digest, NumberedRelease]:
    found: dict[Digest, NumberedRelease] = {}
    for some in chunks([digest.hex for digest in dict.fromkeys(digests)]):
        for row in connection.execute(sa.select(_releases).where(_releases.c.digest.in_(some))):
            one = _release(row)
            found[one.release.digest] = one
    return found


def _last_numbers(connection: Connection) -> dict[Endpoint, int]:
    columns = (_releases.c.environment, _releases.c.plant, sa.func.max(_releases.c.number).label("number"))
    query = sa.select(*columns).group_by(_releases.c.environment, _releases.c.plant)
    return _numbers(connection, query, "releases")


def _live_numbers(connection: Connection) -> dict[Endpoint, int]:
    return _numbers(connection, sa.select(_live), "live_releases")


def _numbers(
    connection: Connection, query: sa.Select[tuple[str, str, int]], table: str
) -> dict[Endpoint, int]:
    found: dict[Endpoint, int] = {}
    for row in connection.execute(query):
        try:
            found[Endpoint(EnvironmentName(row.environment), row.plant)] = whole_number(row.number)
        except TORN as error:
            raise unreadable(f"{table} {row.environment}/{row.plant}") from error
    return found


def _release(row: sa.Row[tuple[str, str, int, str, str]]) -> NumberedRelease:
    """A release as its row holds it, if that is what its content makes it."""
    where = f"releases {row.environment}/{row.plant}:{row.number}"
    one = NUMBERED_RELEASE.from_json(row.content, where)
    held = (row.environment, row.plant, row.number, row.digest)
    release = one.release
    if held != (release.environment.value, release.plant, one.number, release.digest.hex):
        raise unreadable(where)
    return one
