"""What was decided about model versions, in the control database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from fleetcast.domain import happened
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import Digest
from fleetcast.domain.model import Intent, Refusal
from fleetcast.domain.retention import ArtifactToGo
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.columns import TORN, moment, whole_number
from fleetcast.platforms.database.session import Kept, changes, chunks, met, reads
from fleetcast.ports.models import QaPassed
from fleetcast.stored.form import unreadable

_refused = schema.refused_models
_gone = schema.removed_artifacts


class ControlModelStates(Kept):
    """Keeps which versions are selected, champions or refused."""

    @reads
    def intent(self, connection: Connection, name: str | None = None) -> Intent:
        """Everything that was decided, or all about one model, in one reading."""
        return Intent(
            _chosen(connection, schema.selected_models, name),
            _chosen(connection, schema.champions, name),
            _refusals(connection, name),
            _passed(connection, name),
            _removed(connection, name),
        )

    @reads
    def refused(self, connection: Connection) -> Collection[tuple[str, int]]:
        """The versions that may not be used."""
        return frozenset(_refusals(connection)) | frozenset(_removed(connection))

    @changes
    def select(self, connection: Connection, choices: Mapping[str, int]) -> None:
        """Make versions the selected ones."""
        new = _choose(connection, schema.selected_models, choices)
        self.session.audit(connection, [happened.model_selected(*choice) for choice in new.items()])

    @changes
    def deselect(self, connection: Connection, names: Collection[str]) -> None:
        """Take models out of use."""
        table = schema.selected_models
        held = _chosen(connection, table)
        gone = [name for name in dict.fromkeys(names) if name in held]
        for some in chunks(gone):
            met(
                connection.execute(sa.delete(table).where(table.c.name.in_(some))),
                len(some),
                "the selected models",
            )
        self.session.audit(connection, [happened.model_deselected(name) for name in gone])

    @changes
    def reject(self, connection: Connection, versions: Sequence[tuple[str, int]]) -> None:
        """Mark versions as rejected."""
        known = {(row.name, row.version) for row in connection.execute(sa.select(_refused))}
        new = [version for version in dict.fromkeys(versions) if version not in known]
        if new:
            refusal = Refusal.REJECTED.value
            connection.execute(
                sa.insert(_refused),
                [{"name": name, "version": version, "refusal": refusal} for name, version in new],
            )
        self.session.audit(connection, [happened.model_rejected(*version) for version in new])

    @changes
    def pass_qa(self, connection: Connection, versions: Sequence[QaPassed], comment: str) -> None:
        """Sign versions off for production."""
        known = _passed(connection)
        new = [one for one in versions if (one.name, one.version) not in known]
        if new:
            rows = [{"name": one.name, "version": one.version} for one in new]
            connection.execute(sa.insert(schema.qa_passed), rows)
        self.session.audit(
            connection,
            [
                happened.model_passed_qa(one.name, one.version, comment, one.newest_reading, one.skill)
                for one in new
            ],
        )

    @changes
    def block(self, connection: Connection, versions: Mapping[tuple[str, int], Digest], reason: str) -> None:
        """Mark versions as rolled back."""
        known = _refusals(connection)
        new = {version: digest for version, digest in versions.items() if version not in known}
        if new:
            refusal = Refusal.BLOCKED.value
            rows = [{"name": name, "version": version, "refusal": refusal} for name, version in new]
            connection.execute(sa.insert(_refused), rows)
        events = [happened.model_blocked(*version, digest, reason) for version, digest in new.items()]
        self.session.audit(connection, events)

    @changes
    def unblock(self, connection: Connection, version: tuple[str, int], reason: str) -> None:
        """Let a version be used again that was rolled back."""
        name, number = version
        if _refusals(connection).get(version) is not Refusal.BLOCKED:
            raise BadInput(
                f"{name}:{number} is not blocked", fix=f"see `fleetcast models show {name}` for how it stands"
            )
        mine = (_refused.c.name == name, _refused.c.version == number)
        met(connection.execute(sa.delete(_refused).where(*mine)), 1, f"the block on {name}:{number}")
        self.session.audit(connection, [happened.model_unblocked(name, number, reason)])

    @changes
    def retire(
        self, connection: Connection, artifacts: Sequence[ArtifactToGo], days: int
    ) -> Sequence[ArtifactToGo]:
        """Write down that retention removes files, unless one of their versions was taken into use."""
        used = _in_use(connection)
        known = _removed(connection)
        new = [one for one in artifacts if not any(version.key in used for version in one.versions)]
        versions = [version for one in new for version in one.versions if version.key not in known]
        if versions:
            now = self.session.clock.now().isoformat()
            rows = [
                {
                    "name": one.name,
                    "version": one.version,
                    "artifact": one.artifact.hex,
                    "removed_at": now,
                }
                for one in versions
            ]
            connection.execute(sa.insert(_gone), rows)
        self.session.audit(
            connection,
            [
                happened.model_retired(one.name, one.version, one.artifact, one.registered_at, days)
                for one in versions
            ],
        )
        return new

    @changes
    def crown(self, connection: Connection, champions: Mapping[str, int]) -> None:
        """Make shared versions the champions."""
        new = _choose(connection, schema.champions, champions)
        self.session.audit(connection, [happened.model_crowned(*choice) for choice in new.items()])


def _about(query: sa.Select[Any], table: sa.Table, name: str | None) -> sa.Select[Any]:
    return query if name is None else query.where(table.c.name == name)


def _chosen(connection: Connection, table: sa.Table, name: str | None = None) -> dict[str, int]:
    chosen: dict[str, int] = {}
    for row in connection.execute(_about(sa.select(table), table, name)):
        try:
            chosen[row.name] = whole_number(row.version)
        except TORN as error:
            raise unreadable(f"{table.name} {row.name}") from error
    return chosen


def _refusals(connection: Connection, name: str | None = None) -> dict[tuple[str, int], Refusal]:
    refused: dict[tuple[str, int], Refusal] = {}
    query = sa.select(_refused.c.name, _refused.c.version, _refused.c.refusal)
    for row in connection.execute(_about(query, _refused, name)):
        try:
            refused[row.name, whole_number(row.version)] = Refusal(row.refusal)
        except TORN as error:
            raise unreadable(f"refused_models {row.name}:{row.version}") from error
    return refused


def _passed(connection: Connection, name: str | None = None) -> frozenset[tuple[str, int]]:
    passed = set()
    for row in connection.execute(_about(sa.select(schema.qa_passed), schema.qa_passed, name)):
        try:
            passed.add((str(row.name), whole_number(row.version)))
        except TORN as error:
            raise unreadable(f"qa_passed {row.name}:{row.version}") from error
    return frozenset(passed)


def _removed(connection: Connection, name: str | None = None) -> dict[tuple[str, int], datetime]:
    removed = {}
    query = sa.select(_gone.c.name, _gone.c.version, _gone.c.removed_at)
    for row in connection.execute(_about(query, _gone, name)):
        try:
            removed[str(row.name), whole_number(row.version)] = moment(row.removed_at)
        except TORN as error:
            raise unreadable(f"removed_artifacts {row.name}:{row.version}") from error
    return removed


def _in_use(connection: Connection) -> set[tuple[str, int]]:
    """The versions that are chosen, asked about or served, as far as the control database knows."""
    # Most commands ask for what was decided, few for this.
    from fleetcast.domain.approval import RequestState, SubjectKind
    from fleetcast.platforms.control.releases import served_soon

    chosen = {
        *_chosen(connection, schema.selected_models).items(),
        *_chosen(connection, schema.champions).items(),
    }
    table = schema.requests
    open_ones = [state.value for state in RequestState if state.lets_through] + [RequestState.PENDING.value]
    asked = sa.select(table.c.name, table.c.version).where(
        table.c.kind == SubjectKind.MODEL.value, table.c.state.in_(open_ones)
    )
    for row in connection.execute(asked):
        try:
            chosen.add((str(row.name), whole_number(int(row.version))))
        except TORN as error:
            raise unreadable(f"requests {row.name}:{row.version}") from error
    return chosen | served_soon(connection)


def _choose(connection: Connection, table: sa.Table, choices: Mapping[str, int]) -> Mapping[str, int]:
    """Write choices down; gives those that changed anything."""
    held = _chosen(connection, table)
    new = {name: version for name, version in choices.items() if held.get(name) != version}
    for some in chunks([name for name in new if name in held]):
        gone = connection.execute(sa.delete(table).where(table.c.name.in_(some)))
        met(gone, len(some), "the models that were chosen before")
    if new:
        rows = [{"name": name, "version": version} for name, version in new.items()]
        connection.execute(sa.insert(table), rows)
    return new
