"""Show what differs between the fleet repository and what exists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fleetcast.domain.approval import RequestOutline, RequestState, SubjectKind
from fleetcast.domain.assets import Asset, AssetKind, VersionTaken
from fleetcast.domain.circuit import Circuit
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.identity import CircuitKey
from fleetcast.domain.plan import (
    AssetAction,
    Blocked,
    CircuitAction,
    DataUnfit,
    PastTraining,
    Plan,
    Reuse,
    Train,
    UpToDate,
    estimate,
    estimate_cost,
    plan_removed,
)
from fleetcast.domain.quota import QuotaUse, nodes_for
from fleetcast.domain.role import Right
from fleetcast.pipeline.components import check_component_versions, component_asset
from fleetcast.pipeline.data import check_versions, expiring, missing_columns
from fleetcast.pipeline.environments import environment_asset
from fleetcast.pipeline.index import ReadIndex
from fleetcast.pipeline.loadable import unloadable_at_a_glance
from fleetcast.pipeline.policies import policy_question
from fleetcast.pipeline.situation import actions, data_digest_of, failures_in
from fleetcast.ports.clock import Clock
from fleetcast.ports.platform import Platform
from fleetcast.ports.quota import CoreQuota
from fleetcast.workflows.requests import Requests


@dataclass(frozen=True, slots=True)
class MakePlan:
    """Compare the fleet with the index of what exists; reads in bulk and changes nothing."""

    platform: Platform
    clock: Clock
    quota: CoreQuota | None = None
    """Asked where something is to be trained; None: not asked."""

    def __call__(self, fleet: Fleet) -> Plan:
        """Make the plan.

        Raises:
            VersionTaken: A declared version is registered with other content.
            BadInput: A circuit names a version of a table or of the component that does not exist.
        """
        self.platform.control.require(Right.VIEW)
        index = ReadIndex.of(self.platform)()
        workspace = self.platform.workspace
        failures = failures_in(workspace.jobs, fleet.environment)
        planned = actions(fleet.circuits, index, workspace.data, failures)
        to_train = [circuit for circuit, action in planned if isinstance(action, Train)]
        check_versions(to_train, workspace.tables)
        circuits = _blocked_without_columns(planned, missing_columns(to_train, workspace.tables))
        check_component_versions(to_train, component_asset(fleet.component), self.platform.workspace.assets)
        past = PastTraining(self.platform.workspace.jobs.median_seconds(), self.platform.workspace.workers)
        return Plan(
            circuits=(*circuits, *plan_removed(fleet.circuits, index)),
            assets=tuple(self._assets(fleet, circuits)),
            fleet=fleet.digest,
            estimated=estimate(circuits, fleet.circuits, past),
            warnings=tuple(self._warnings(to_train)),
            unloadable=unloadable_at_a_glance(fleet.circuits, index, workspace.artifacts),
            cost=estimate_cost(
                circuits, fleet.circuits, past, fleet.settings.cost, fleet.settings.platform.batch_size
            ),
            quota=self._quota_use(circuits, fleet.settings.platform.batch_size),
        )

    def _quota_use(self, circuits: Sequence[CircuitAction], batch_size: int) -> QuotaUse | None:
        to_train = sum(isinstance(action, Train) for action in circuits)
        if self.quota is None or not to_train:
            return None
        return QuotaUse(nodes_for(to_train, batch_size, self.quota.most_nodes), self.quota.cores())

    def _warnings(self, to_train: Sequence[Circuit]) -> list[str]:
        external = [circuit for circuit in to_train if circuit.source_mapping]
        held = (
            self.platform.workspace.data.held([data_digest_of(circuit) for circuit in external])
            if external
            else {}
        )
        return expiring(external, self.platform.workspace.tables, held, self.clock.now())

    def _assets(self, fleet: Fleet, circuits: Sequence[CircuitAction]) -> list[AssetAction]:
        environment, component = environment_asset(fleet.environment), component_asset(fleet.component)
        found = [
            AssetAction("register", asset.kind, asset.name, asset.version)
            for asset in (environment, component)
            if self._is_new(asset)
        ]
        shared = self.platform.workspace.shared.shared()
        asked = {
            (outline.kind, outline.name, outline.version): outline
            for outline in Requests(self.platform.control, self.clock.now()).outlines(
                (RequestState.PENDING, RequestState.REJECTED)
            )
        }
        if environment.version not in shared.environments.get(environment.name, ()):
            key = (SubjectKind.ENVIRONMENT, environment.name, environment.version)
            found += _promotion(AssetKind.ENVIRONMENT, environment.name, environment.version, asked.get(key))
        found += self._policies(fleet)
        for action in circuits:
            if not isinstance(action, Reuse | UpToDate):
                continue
            if action.version not in shared.models.get(action.model, ()):
                key = (SubjectKind.MODEL, action.model, str(action.version))
                found += _promotion(SubjectKind.MODEL, action.model, str(action.version), asked.get(key))
        return found

    def _policies(self, fleet: Fleet) -> Iterator[AssetAction]:
        """Gates whose declared policy is not the one in force, unless people refused the change."""
        control, declared = self.platform.control, fleet.settings.gates
        for gate, in_force in control.policies.in_force().items():
            if declared[gate] == in_force:
                continue
            note = ""
            if not in_force.admits(declared[gate]):
                asked = policy_question(gate, in_force, declared[gate])
                states = {
                    held.state: held.id
                    for held in Requests(control, self.clock.now()).about([asked.subject.digest])
                }
                if RequestState.REJECTED in states:
                    continue
                pending = states.get(RequestState.PENDING)
                note = "asks at that gate" if pending is None else f"awaits approval, request {pending}"
            yield AssetAction(
                "change", SubjectKind.POLICY.value, gate.value, declared[gate].digest.short, note
            )

    def _is_new(self, asset: Asset) -> bool:
        held = self.platform.workspace.assets.find(asset.kind, asset.name, asset.version)
        if held is not None and held.asset.digest != asset.digest:
            raise VersionTaken(asset.name, asset.version, held.asset.digest, asset.digest)
        return held is None


def _blocked_without_columns(
    planned: Sequence[tuple[Circuit, CircuitAction]], missing: Mapping[CircuitKey, str]
) -> list[CircuitAction]:
    """The actions, but for circuits that declare a sensor which their table does not have."""
    return [
        Blocked(action.key, action.model, action.training_hash, DataUnfit(missing[circuit.key]))
        if isinstance(action, Train) and circuit.key in missing
        else action
        for circuit, action in planned
    ]


def _promotion(kind: str, name: str, version: str, asked: RequestOutline | None) -> list[AssetAction]:
    """The promotion that is still to happen; none if people refused it."""
    if asked is None:
        return [AssetAction("promote", str(kind), name, version)]
    if asked.state is RequestState.REJECTED:
        return []
    return [AssetAction("promote", str(kind), name, version, f"awaits approval, request {asked.id}")]
