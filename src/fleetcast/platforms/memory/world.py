"""Everything the memory platform knows, and its audit log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fleetcast.domain.approval import Request
from fleetcast.domain.assets import AssetKind, RegisteredAsset
from fleetcast.domain.audit import GENESIS, Actor, AuditEntry, AuditEvent, chained
from fleetcast.domain.component import TrainingComponent
from fleetcast.domain.identity import Digest
from fleetcast.domain.job import TrainingJob
from fleetcast.domain.model import ModelVersion
from fleetcast.domain.run import Run
from fleetcast.domain.snapshot import DataAsset
from fleetcast.ports.clock import Clock
from fleetcast.ports.readings import Readings


@dataclass(slots=True)
class World:
    """The state that all roles of one memory platform share."""

    actor: Actor
    clock: Clock
    assets: dict[tuple[AssetKind, str, str], RegisteredAsset] = field(default_factory=dict)
    data: dict[Digest, DataAsset] = field(default_factory=dict)
    rows: dict[Digest, Readings] = field(default_factory=dict)
    jobs: dict[str, TrainingJob] = field(default_factory=dict)
    components: dict[Digest, TrainingComponent] = field(default_factory=dict)
    versions: dict[str, list[ModelVersion]] = field(default_factory=dict)
    selected: dict[str, int] = field(default_factory=dict)
    shared_environments: dict[str, set[str]] = field(default_factory=dict)
    shared_models: dict[str, set[int]] = field(default_factory=dict)
    champions: dict[str, int] = field(default_factory=dict)
    requests: dict[int, Request] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    log: list[AuditEntry] = field(default_factory=list)
    holder: str = ""

    def audit(self, events: Sequence[AuditEvent]) -> None:
        """Chain events to the log."""
        for event in events:
            previous = self.log[-1].digest if self.log else GENESIS
            self.log.append(chained(len(self.log) + 1, self.clock.now(), self.actor, event, previous))
