"""Everything that exists on the memory platform."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fleetcast.domain.assets import AssetKind, RegisteredAsset
from fleetcast.domain.component import TrainingComponent
from fleetcast.domain.identity import Digest
from fleetcast.domain.job import TrainingJob
from fleetcast.domain.model import ModelVersion
from fleetcast.domain.release import Endpoint
from fleetcast.domain.snapshot import DataAsset
from fleetcast.domain.traffic import CountedWindow, Traffic
from fleetcast.ports.readings import Readings


@dataclass(slots=True)
class World:
    """The state that all roles of one memory platform share."""

    assets: dict[tuple[AssetKind, str, str], RegisteredAsset] = field(default_factory=dict)
    data: dict[Digest, DataAsset] = field(default_factory=dict)
    rows: dict[Digest, Readings] = field(default_factory=dict)
    jobs: dict[str, TrainingJob] = field(default_factory=dict)
    components: dict[Digest, TrainingComponent] = field(default_factory=dict)
    versions: dict[str, list[ModelVersion]] = field(default_factory=dict)
    shared_environments: dict[str, dict[str, datetime]] = field(default_factory=dict)
    """By name and version, from when on it shows."""
    shared_models: dict[str, dict[int, datetime]] = field(default_factory=dict)
    """The same."""
    shows_after: timedelta = timedelta(0)
    """How long it takes until what is shared shows."""
    failing: int = 0
    """How many jobs are yet to fail at their first attempt."""
    traffic: dict[Endpoint, Traffic] = field(default_factory=dict)
    windows: dict[Endpoint, list[CountedWindow]] = field(default_factory=dict)
    """What was counted of each green that is there."""
