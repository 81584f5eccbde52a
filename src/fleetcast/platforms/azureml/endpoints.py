"""Managed online endpoints: one for each plant, a deployment for each of two releases, traffic and copies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from fleetcast.domain.identity import Digest
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import Endpoint
from fleetcast.domain.service import Stretch
from fleetcast.domain.traffic import Override, Report, Traffic, Watch
from fleetcast.platforms.azureml.client import AzureClients
from fleetcast.platforms.azureml.deployments import MoveEndpoint, Served
from fleetcast.platforms.database.leases import Lease
from fleetcast.platforms.database.session import Session
from fleetcast.platforms.local.endpoints import LocalEndpoints

_LEASE = timedelta(seconds=60)
_WAIT = timedelta(minutes=15)
"""For whoever changes the same endpoint at the moment; making a deployment takes Azure some minutes."""


class AzureEndpoints:
    """Serves releases by deployments. What is told stands in signed rows too, which the containers read.

    Azure is changed first and the rows after it, under a lease, as Azure cannot refuse the slower of two writers.
    Overrides are rows alone: containers see them within seconds.
    """

    def __init__(self, session: Session, clients: AzureClients, served: Served) -> None:
        self._session = session
        self.rows = LocalEndpoints(session)
        """What containers read."""
        self._clients = clients
        self._served = served

    def standing(self, environment: EnvironmentName) -> Mapping[str, Traffic]:
        """What servers were told last, by plant."""
        return self.rows.standing(environment)

    def serve(self, endpoint: Endpoint, release: Digest) -> None:
        """Have a release serve at once, alone."""
        with self._moving(endpoint, lambda held: held.serving(release)):
            self.rows.serve(endpoint, release)

    def start(self, endpoint: Endpoint, green: Digest, watch: Watch) -> None:
        """Start a release beside the one that serves."""
        with self._moving(endpoint, lambda held: held.starting(green, watch)):
            self.rows.start(endpoint, green, watch)

    def shift(self, endpoint: Endpoint, green: Digest, share: int) -> None:
        """Give green this share of the traffic; at 0 it gets copies."""
        with self._moving(endpoint, lambda held: held.shifted(green, share)):
            self.rows.shift(endpoint, green, share)

    def finish(self, endpoint: Endpoint, green: Digest) -> None:
        """Put green in blue's place; the deployment before it stays, without traffic, until its name is needed."""
        with self._moving(endpoint, lambda held: held.finished(green)):
            self.rows.finish(endpoint, green)

    def stop(self, endpoint: Endpoint) -> None:
        """Give everything back to blue, and end green."""
        if endpoint.plant not in self.rows.standing(endpoint.environment):
            return
        with self._moving(endpoint, Traffic.without_green):
            self.rows.stop(endpoint)

    def override(self, endpoint: Endpoint, override: Override) -> None:
        """Have one circuit forecast by something else than its release says."""
        self.rows.override(endpoint, override)

    def release_override(self, endpoint: Endpoint, circuit: str) -> None:
        """Have a circuit forecast by what its release says again."""
        self.rows.release_override(endpoint, circuit)

    def report(self, endpoint: Endpoint, green: Digest) -> Report | None:
        """What its container says of green."""
        return self.rows.report(endpoint, green)

    def fared(self, environment: EnvironmentName, since: datetime) -> Mapping[str, Sequence[Stretch]]:
        """For how long containers served each plant, and what they answered."""
        return self.rows.fared(environment, since)

    @contextmanager
    def _moving(self, endpoint: Endpoint, change: Callable[[Traffic], Traffic]) -> Iterator[None]:
        """Have Azure do what the rows are about to say, as the only one who changes this endpoint."""
        mine = Session(self._session.database, self._session.actor)
        with Lease(mine, f"endpoint {endpoint}", _LEASE).held(str(self._session.actor), _WAIT):
            before = self.rows.standing(endpoint.environment).get(endpoint.plant) or Traffic(endpoint)
            MoveEndpoint(self._clients, self._served, self._session.clock, before, change(before))()
            yield
