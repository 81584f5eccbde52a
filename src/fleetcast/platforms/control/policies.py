"""The policies in force, in the control database."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from fleetcast.domain import happened
from fleetcast.domain.gate import GatePolicy
from fleetcast.domain.place import Gate
from fleetcast.platforms.database import schema
from fleetcast.platforms.database.session import Kept, changes, met, reads
from fleetcast.stored.form import unreadable
from fleetcast.stored.policies import GATE_POLICY, WholePolicy

_policies = schema.gate_policies


class ControlPolicyBook(Kept):
    """Keeps one policy for each gate."""

    @reads
    def in_force(self, connection: Connection) -> Mapping[Gate, GatePolicy]:
        """The policy of every gate; empty before the first were taken."""
        return policies_in(connection)

    def take_first(self, policies: Mapping[Gate, GatePolicy]) -> None:
        """Take a new fleet's policies; looking comes first, as reading waits for nobody."""
        if not self.in_force():
            self._take(policies)

    @changes
    def _take(self, connection: Connection, policies: Mapping[Gate, GatePolicy]) -> None:
        if policies_in(connection):
            return
        rows = [
            {"gate": gate.value, "content": GATE_POLICY.to_json(WholePolicy.of(policy))}
            for gate, policy in policies.items()
        ]
        connection.execute(sa.insert(_policies), rows)
        self.session.audit(connection, [happened.policy_taken(gate, policies[gate]) for gate in policies])

    @changes
    def change(self, connection: Connection, policies: Mapping[Gate, GatePolicy]) -> None:
        """Put other policies in force."""
        held = policies_in(connection)
        new = {gate: policy for gate, policy in policies.items() if held.get(gate) != policy}
        for gate, policy in new.items():
            result = connection.execute(
                sa.update(_policies)
                .where(_policies.c.gate == gate.value)
                .values(content=GATE_POLICY.to_json(WholePolicy.of(policy)))
            )
            met(result, 1, f"the policy of the gate {gate.value}")
        self.session.audit(
            connection, [happened.policy_changed(gate, held[gate], policy) for gate, policy in new.items()]
        )


def policies_in(connection: Connection) -> dict[Gate, GatePolicy]:
    """The policies in force, within a transaction that goes on."""
    found: dict[Gate, GatePolicy] = {}
    for row in connection.execute(sa.select(_policies.c.gate, _policies.c.content)):
        policy = GATE_POLICY.from_json(row.content, f"gate_policies {row.gate}").policy
        if row.gate not in [gate.value for gate in Gate]:
            raise unreadable(f"gate_policies {row.gate}")
        found[Gate(row.gate)] = policy
    missing = [gate.value for gate in Gate if gate not in found]
    if found and missing:
        raise unreadable(f"gate_policies {missing[0]}")
    return found
