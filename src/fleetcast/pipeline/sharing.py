"""Sharing environments and models with the registry that dev, test and prod have in common."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from fleetcast.domain import happened
from fleetcast.domain.assets import Asset
from fleetcast.domain.effect import Effect
from fleetcast.domain.model import ModelVersion
from fleetcast.domain.wording import counted
from fleetcast.pipeline.effects import CarryOut
from fleetcast.ports.models import Shared, SharedRegistry


@dataclass(frozen=True, slots=True)
class Share:
    """Copies what was approved, sees that it arrived, and records it."""

    registry: SharedRegistry
    carry_out: CarryOut

    def environment(self, environment: Asset) -> None:
        """Share an environment version.

        Raises:
            Unavailable: It cannot be shared, or does not show in time.
        """
        effect = Effect(_environment_key(environment), happened.environment_shared(environment))
        self.carry_out(
            [effect],
            do=lambda: self.registry.share_environment(environment),
            done=self._done,
            what=str(environment),
        )

    def models(self, versions: Sequence[ModelVersion]) -> None:
        """Share model versions under the same numbers.

        Raises:
            Unavailable: They cannot be shared, or do not show in time.
        """
        effects = [Effect(_model_key(version), happened.model_shared(version)) for version in versions]
        self.carry_out(
            effects,
            do=lambda: self.registry.share_models(versions),
            done=self._done,
            what=counted(len(versions), "model"),
        )

    def finish(self, agreed: Callable[[Sequence[Effect]], Sequence[Effect]]) -> None:
        """Record what an interrupted run shared but had no time to record, as far as it was agreed to."""
        self.carry_out.finish(self._done, agreed)

    def _done(self, keys: Collection[str]) -> Collection[str]:
        shared = self.registry.shared()
        return [key for key in keys if _is_shared(key, shared)]


def _environment_key(environment: Asset) -> str:
    return f"share environment {environment}"


def _model_key(version: ModelVersion) -> str:
    return f"share model {version}"


def _is_shared(key: str, shared: Shared) -> bool:
    """Whether an effect of sharing shows in the shared registry."""
    verb, kind, subject = key.split(" ", 2)
    name, _, version = subject.rpartition(":")
    if (verb, kind) == ("share", "environment"):
        return version in shared.environments.get(name, ())
    if (verb, kind) == ("share", "model"):
        return int(version) in shared.models.get(name, ())
    return False
