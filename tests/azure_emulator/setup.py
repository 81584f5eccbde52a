"""What the emulator has from the beginning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.azure_emulator.identity import Principal


@dataclass(frozen=True, slots=True)
class Setup:
    """What there is from the beginning."""

    subscription: str = "11111111-1111-1111-1111-111111111111"
    resource_group: str = "fleetcast"
    workspaces: Sequence[str] = ("fleetcast",)
    registries: Sequence[str] = ("fleetcast-registry",)
    datastores: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """By name, the account and the container of datastores without a key that every workspace has besides its own."""
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By the name of a Key Vault, what it holds."""
    region: str = "westeurope"
    principal: Principal = field(default_factory=Principal)
    cores: int = 100
    """That the subscription may use."""
    cores_of_others: int = 0
    jobs_at_once: int = 2
    containers: bool = False
    """Whether deployments run; else they are said to, and nobody answers."""
    page: int = 30
    """How many resources a list gives at a time."""
