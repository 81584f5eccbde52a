"""Endpoints of the local platform: what `fleetcast serve` is told by rows that it believes for their signature."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from fleetcast.domain import happened
from fleetcast.domain.errors import BadInput, FleetcastError
from fleetcast.domain.identity import Digest
from fleetcast.domain.manifest import Signed, traffic_in_words
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import Endpoint
from fleetcast.domain.service import KEPT, ServerStretch, Stretch
from fleetcast.domain.traffic import Override, Report, SignedTraffic, Traffic, Watch
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.columns import TORN
from fleetcast.platforms.database.leases import Lease
from fleetcast.platforms.database.session import Kept, changes, reads
from fleetcast.ports.endpoints import Told
from fleetcast.stored.form import unreadable
from fleetcast.stored.service import SERVER_STRETCH
from fleetcast.stored.traffic import REPORT, SIGNED_TRAFFIC

_traffic, _reports, _keys = schema.traffic, schema.deployment_reports, schema.endpoint_keys
_stretches = schema.endpoint_stretches
Change = Callable[[Traffic], Traffic]


class LocalEndpoints(Kept):
    """Tells servers what to do, and hears what they say."""

    @reads
    def standing(self, connection: Connection, environment: EnvironmentName) -> Mapping[str, Traffic]:
        """What servers were told last, by plant."""
        query = sa.select(_traffic).where(_traffic.c.environment == environment.value)
        return {row.plant: self.believed(row) for row in connection.execute(query.order_by(_traffic.c.plant))}

    @changes
    def serve(self, connection: Connection, endpoint: Endpoint, release: Digest) -> None:
        """Have a release serve at once, alone."""
        self._change(connection, endpoint, lambda held: held.serving(release))

    @changes
    def start(self, connection: Connection, endpoint: Endpoint, green: Digest, watch: Watch) -> None:
        """Start a release beside the one that serves; what was said of an earlier green is forgotten."""
        if self._change(connection, endpoint, lambda held: held.starting(green, watch)):
            connection.execute(sa.delete(_reports).where(*_at(_reports, endpoint)))

    @changes
    def shift(self, connection: Connection, endpoint: Endpoint, green: Digest, share: int) -> None:
        """Give green this share of the traffic."""
        self._change(connection, endpoint, lambda held: held.shifted(green, share))

    @changes
    def finish(self, connection: Connection, endpoint: Endpoint, green: Digest) -> None:
        """Put green in blue's place."""
        self._change(connection, endpoint, lambda held: held.finished(green))

    @changes
    def stop(self, connection: Connection, endpoint: Endpoint) -> None:
        """Give everything back to blue, and end green."""
        self._change(connection, endpoint, Traffic.without_green)

    @changes
    def override(self, connection: Connection, endpoint: Endpoint, override: Override) -> None:
        """Have one circuit forecast by something else than its release says."""
        self._change(connection, endpoint, lambda held: held.overridden(override))

    @changes
    def release_override(self, connection: Connection, endpoint: Endpoint, circuit: str) -> None:
        """Have a circuit forecast by what its release says again."""
        self._change(connection, endpoint, lambda held: held.released(circuit))

    @reads
    def report(self, connection: Connection, endpoint: Endpoint, green: Digest) -> Report | None:
        """What servers say of green."""
        row = connection.execute(sa.select(_reports).where(*_at(_reports, endpoint))).first()
        if row is None or row.green != green.hex:
            return None
        return REPORT.from_json(row.content, f"deployment_reports {endpoint}")

    @reads
    def fared(
        self, connection: Connection, environment: EnvironmentName, since: datetime
    ) -> Mapping[str, Sequence[Stretch]]:
        """For how long each plant was served, and what clients were answered."""
        query = sa.select(_stretches).where(
            _stretches.c.environment == environment.value, _stretches.c.until > _moment(since)
        )
        found: dict[str, list[Stretch]] = {}
        for row in connection.execute(query.order_by(_stretches.c.since, _stretches.c.server)):
            where = f"endpoint_stretches {environment} {row.since}"
            told = SERVER_STRETCH.from_json(row.content, where)
            if (told.server, _moment(told.since), _moment(told.until)) != (row.server, row.since, row.until):
                raise unreadable(where)
            for plant, served in told.plants.items():
                found.setdefault(plant, []).append(Stretch(told.since, told.until, served))
        return found

    def _change(self, connection: Connection, endpoint: Endpoint, change: Change) -> bool:
        """Write down what servers are told from now on; gives whether that is another thing than before."""
        row = connection.execute(sa.select(_traffic).where(*_at(_traffic, endpoint))).first()
        held = Traffic(endpoint) if row is None else self.believed(row)
        new = change(held)
        if new == held:
            return False
        signature = self.session.database.sealing.sign_traffic(new)
        values = {"revision": new.revision, "content": SIGNED_TRAFFIC.to_json(SignedTraffic(new, signature))}
        if row is None:
            where = {"environment": endpoint.environment.value, "plant": endpoint.plant}
            connection.execute(sa.insert(_traffic).values(**where, **values))
        else:
            connection.execute(sa.update(_traffic).where(*_at(_traffic, endpoint)).values(**values))
        return True

    def believed(self, row: sa.Row[tuple[str, str, int, str]]) -> Traffic:
        """What a row tells, if somebody who is trusted vouches for it.

        Raises:
            BadInput: Nobody does.
        """
        where = f"traffic {row.environment}/{row.plant}"
        signed = SIGNED_TRAFFIC.from_json(row.content, where)
        found = (str(signed.traffic.endpoint), signed.traffic.revision)
        if found != (f"{row.environment}/{row.plant}", row.revision):
            raise unreadable(where)
        verdict = self.session.database.sealing.traffic_verdict(signed)
        if not isinstance(verdict, Signed):
            raise BadInput(
                f"what {row.environment}/{row.plant} serves {traffic_in_words(verdict)}",
                fix="see all of it with `fleetcast audit verify`, and deploy again",
            )
        return signed.traffic


class LocalTrafficBoard(Kept):
    """Where `fleetcast serve` looks, and what it says."""

    def __init__(self, endpoints: LocalEndpoints, lease: timedelta) -> None:
        """Open it.

        Args:
            endpoints: Of the platform.
            lease: For how long a server that shows no sign of life keeps another one waiting.
        """
        super().__init__(endpoints.session)
        self._endpoints = endpoints
        self._lease = lease

    def exclusive(
        self, environment: EnvironmentName, holder: str, timeout: timedelta
    ) -> AbstractContextManager[None]:
        """Be the only one who serves an environment."""
        return Lease(self.session, f"server of {environment}", self._lease).held(holder, timeout)

    @reads
    def revision(self, connection: Connection, environment: EnvironmentName) -> int:
        """Raised with every change for any of its plants."""
        query = sa.select(sa.func.coalesce(sa.func.sum(_traffic.c.revision), 0))
        return int(connection.execute(query.where(_traffic.c.environment == environment.value)).scalar_one())

    @reads
    def read(self, connection: Connection, environment: EnvironmentName) -> Told:
        """What every plant is told."""
        told: dict[str, Traffic] = {}
        refused: dict[str, str] = {}
        query = sa.select(_traffic).where(_traffic.c.environment == environment.value)
        for row in connection.execute(query.order_by(_traffic.c.plant)):
            try:
                told[row.plant] = self._endpoints.believed(row)
            except FleetcastError as error:
                refused[row.plant] = str(error)
        return Told(told, refused)

    def noted(self, endpoint: Endpoint, green: Digest) -> Report | None:
        """What was written down last of this green."""
        return self._endpoints.report(endpoint, green)

    @changes
    def note(self, connection: Connection, endpoint: Endpoint, green: Digest, report: Report) -> None:
        """Write down how a green is."""
        connection.execute(sa.delete(_reports).where(*_at(_reports, endpoint)))
        where = {"environment": endpoint.environment.value, "plant": endpoint.plant}
        content = REPORT.to_json(report)
        connection.execute(sa.insert(_reports).values(**where, green=green.hex, content=content))

    @changes
    def beat(self, connection: Connection, environment: EnvironmentName, stretch: ServerStretch) -> None:
        """Write down that a server goes on serving."""
        where = {
            "environment": environment.value,
            "server": stretch.server,
            "since": _moment(stretch.since),
        }
        said = {"until": _moment(stretch.until), "content": SERVER_STRETCH.to_json(stretch)}
        mine = [_stretches.c[name] == value for name, value in where.items()]
        if connection.execute(sa.update(_stretches).where(*mine).values(**said)).rowcount:
            return
        connection.execute(sa.insert(_stretches).values(**where, **said))
        old = _moment(stretch.until - KEPT)
        in_this = _stretches.c.environment == environment.value
        connection.execute(sa.delete(_stretches).where(in_this, _stretches.c.until < old))

    @reads
    def keys(self, connection: Connection, environment: EnvironmentName) -> Mapping[str, Sequence[Digest]]:
        """By plant, the digests of the keys by which clients may ask."""
        found: dict[str, list[Digest]] = {}
        query = sa.select(_keys.c.plant, _keys.c.digest).where(_keys.c.environment == environment.value)
        for row in connection.execute(query):
            try:
                found.setdefault(row.plant, []).append(Digest(row.digest))
            except TORN as error:
                raise unreadable(f"endpoint_keys {environment}/{row.plant}") from error
        return found


class LocalEndpointKeys(Kept):
    """Keeps digests of keys."""

    @changes
    def put(self, connection: Connection, endpoint: Endpoint, slot: str, digest: Digest) -> None:
        """Put a new key in place of the one in this slot."""
        mine = (*_at(_keys, endpoint), _keys.c.slot == slot)
        connection.execute(sa.delete(_keys).where(*mine))
        connection.execute(
            sa.insert(_keys).values(
                environment=endpoint.environment.value,
                plant=endpoint.plant,
                slot=slot,
                digest=digest.hex,
                made_at=self.session.clock.now().isoformat(),
            )
        )
        self.session.audit(connection, [happened.endpoint_key_made(endpoint, slot)])

    @reads
    def slots(self, connection: Connection, endpoint: Endpoint) -> Sequence[str]:
        """Which slots have a key."""
        query = sa.select(_keys.c.slot).where(*_at(_keys, endpoint))
        return sorted(connection.execute(query).scalars())


def _at(table: sa.Table, endpoint: Endpoint) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return table.c.environment == endpoint.environment.value, table.c.plant == endpoint.plant


def _moment(at: datetime) -> str:
    """Written so that moments are in the order of their texts."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
