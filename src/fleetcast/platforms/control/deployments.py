"""Deployments and rollouts in the control database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from fleetcast.domain import happened
from fleetcast.domain.deployment import Deployment, DeploymentState, PlantRollout
from fleetcast.domain.place import EnvironmentName
from fleetcast.domain.release import Endpoint
from fleetcast.domain.traffic import Override
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.leases import Lease
from fleetcast.platforms.database.session import Kept, Session, changes, met, reads
from fleetcast.stored.deployments import DEPLOYMENT, PLANT_ROLLOUT
from fleetcast.stored.form import unreadable

_deployments, _rollouts = schema.deployments, schema.rollouts
Row = sa.Row[tuple[str, int, str, str]]


class ControlDeploymentBook(Kept):
    """Keeps deployments by environment and number, and the last rollout of each plant."""

    def __init__(self, session: Session, lease: timedelta) -> None:
        super().__init__(session)
        self._lease = Lease(session, "traffic", lease)

    def exclusive(self, holder: str, timeout: timedelta) -> AbstractContextManager[None]:
        """Be the only one who moves traffic."""
        return self._lease.held(holder, timeout)

    @changes
    def note_any_branch(
        self, connection: Connection, environment: EnvironmentName, commit: str, branch: str | None
    ) -> None:
        """Note that somebody deploys whatever the branch."""
        self.session.audit(connection, [happened.any_branch_used(environment, commit, branch)])

    @changes
    def note_hold(self, connection: Connection, endpoint: Endpoint, override: Override) -> None:
        """Note that somebody has a circuit forecast by something else."""
        self.session.audit(connection, [happened.circuit_held(endpoint, override)])

    @changes
    def note_hold_over(self, connection: Connection, endpoint: Endpoint, circuit: str) -> None:
        """Note that somebody ended that."""
        self.session.audit(connection, [happened.hold_ended(endpoint, circuit)])

    @changes
    def begin(self, connection: Connection, deployment: Deployment) -> Deployment:
        """Keep a new deployment, and give it its number."""
        environment = deployment.plan.environment
        mine = _deployments.c.environment == environment.value
        query = sa.select(sa.func.coalesce(sa.func.max(_deployments.c.number), 0)).where(mine)
        numbered = replace(deployment, number=int(connection.execute(query).scalar_one()) + 1)
        connection.execute(
            sa.insert(_deployments).values(
                environment=environment.value,
                number=numbered.number,
                state=numbered.state.value,
                content=DEPLOYMENT.to_json(numbered),
            )
        )
        self.session.audit(connection, [happened.deployment_changed(numbered)])
        return numbered

    @changes
    def save(self, connection: Connection, deployment: Deployment) -> None:
        """Write a deployment back."""
        mine = (
            _deployments.c.environment == deployment.plan.environment.value,
            _deployments.c.number == deployment.number,
        )
        row = connection.execute(sa.select(_deployments).where(*mine)).first()
        before = None if row is None else _deployment(row)
        if before == deployment:
            return
        content = DEPLOYMENT.to_json(deployment)
        changed = sa.update(_deployments).where(*mine).values(state=deployment.state.value, content=content)
        met(connection.execute(changed), 1, str(deployment))
        if before is None or before.state is not deployment.state:
            self.session.audit(connection, [happened.deployment_changed(deployment)])

    @reads
    def listed(
        self, connection: Connection, environment: EnvironmentName, count: int
    ) -> Sequence[Deployment]:
        """The last deployments to an environment, newest first."""
        query = sa.select(_deployments).where(_deployments.c.environment == environment.value)
        rows = connection.execute(query.order_by(_deployments.c.number.desc()).limit(count))
        return [_deployment(row) for row in rows]

    @reads
    def open_ones(self, connection: Connection, environment: EnvironmentName) -> Sequence[Deployment]:
        """Those that are not over, oldest first."""
        going_on = [state.value for state in DeploymentState if not state.is_over]
        query = sa.select(_deployments).where(
            _deployments.c.environment == environment.value, _deployments.c.state.in_(going_on)
        )
        return [_deployment(row) for row in connection.execute(query.order_by(_deployments.c.number))]

    @reads
    def rollouts(self, connection: Connection, environment: EnvironmentName) -> Mapping[str, PlantRollout]:
        """How each plant's last rollout stands."""
        query = sa.select(_rollouts).where(_rollouts.c.environment == environment.value)
        found: dict[str, PlantRollout] = {}
        for row in connection.execute(query.order_by(_rollouts.c.plant)):
            where = f"rollouts {row.environment}/{row.plant}"
            one = PLANT_ROLLOUT.from_json(row.content, where)
            if str(one.endpoint) != f"{row.environment}/{row.plant}" or one.rollout.plant != row.plant:
                raise unreadable(where)
            found[row.plant] = one
        return found

    @changes
    def save_rollout(self, connection: Connection, rollout: PlantRollout) -> None:
        """Write down how a plant's rollout stands."""
        endpoint = rollout.endpoint
        mine = (
            _rollouts.c.environment == endpoint.environment.value,
            _rollouts.c.plant == endpoint.plant,
        )
        row = connection.execute(sa.select(_rollouts.c.content).where(*mine)).first()
        before = None if row is None else PLANT_ROLLOUT.from_json(row.content, f"rollouts {endpoint}")
        if before == rollout:
            return
        connection.execute(sa.delete(_rollouts).where(*mine))
        connection.execute(
            sa.insert(_rollouts).values(
                environment=endpoint.environment.value,
                plant=endpoint.plant,
                content=PLANT_ROLLOUT.to_json(rollout),
            )
        )
        news = before is None or before.deployment != rollout.deployment
        if news or before.rollout.phase is not rollout.rollout.phase:  # type: ignore[union-attr]  # news covers None
            self.session.audit(connection, [happened.rollout_changed(rollout)])


def _deployment(row: Row) -> Deployment:
    where = f"deployments {row.environment} {row.number}"
    one = DEPLOYMENT.from_json(row.content, where)
    held = (row.environment, row.number, row.state)
    if held != (one.plan.environment.value, one.number, one.state.value):
        raise unreadable(where)
    return one
