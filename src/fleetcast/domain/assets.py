"""Named, versioned things that never change once registered: training environments and pipeline components."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fleetcast.domain.canonical import Json
from fleetcast.domain.errors import FleetcastError
from fleetcast.domain.identity import Digest


class AssetKind(StrEnum):
    """What a registered asset is."""

    ENVIRONMENT = "environment"
    COMPONENT = "component"


@dataclass(frozen=True, slots=True)
class Asset:
    """A version of an environment or a component, with its whole content."""

    kind: AssetKind
    name: str
    version: str
    digest: Digest
    content: Mapping[str, Json]

    def __str__(self) -> str:
        return f"{self.name}:{self.version}"


@dataclass(frozen=True, slots=True)
class RegisteredAsset:
    """An asset as the registry holds it."""

    asset: Asset
    registered_at: datetime


class VersionTaken(FleetcastError):
    """A registered version never changes: one number cannot mean two things."""

    def __init__(self, name: str, version: str, registered: Digest, offered: Digest) -> None:
        super().__init__(f"{name}:{version} is registered as {registered}, but its content is now {offered}")
        self.fix = f"bump the version of {name}, then run `fleetcast plan`"
