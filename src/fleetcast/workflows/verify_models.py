"""Read every byte of the models in use, to find what was lost or changed before a forecast does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fleetcast.domain.artifact import UnloadableModel
from fleetcast.domain.fleet import Fleet
from fleetcast.domain.role import Right
from fleetcast.pipeline.index import ReadIndex
from fleetcast.pipeline.loadable import in_use, unloadable
from fleetcast.pipeline.manifests import Manifests
from fleetcast.pipeline.situation import Progress, Report, silent
from fleetcast.ports.platform import Platform
from fleetcast.workflows.inspect_circuits import choose


@dataclass(frozen=True, slots=True)
class VerifiedModels:
    """How many models were read, and those that cannot be loaded."""

    read: int
    unloadable: tuple[UnloadableModel, ...]


@dataclass(frozen=True, slots=True)
class VerifyModels:
    """Compare the files of models in use with the digests they were registered with, and with their manifests."""

    platform: Platform

    def __call__(self, fleet: Fleet, patterns: Sequence[str] = (), report: Report = silent) -> VerifiedModels:
        """Verify the champion and the selected version of circuits.

        Args:
            fleet: As declared.
            patterns: `PLANT/CIRCUIT` with `*`, `?` and `[…]`; none: all circuits.
            report: Told how far it has come.

        Raises:
            BadInput: A pattern matches no circuit.
            Unavailable: The artifact store does not answer.
        """
        self.platform.control.require(Right.VIEW)
        circuits = choose(fleet.circuits, patterns)
        index, manifests = ReadIndex.of(self.platform)(), Manifests.of(self.platform)
        used = list(in_use(circuits, index))
        found = []
        for number, (circuit, entry) in enumerate(used, start=1):
            why = manifests.amiss(entry.name, entry.version, entry.artifact, unsigned_allowed=True)
            if why:
                found.append(unloadable(circuit, entry, index, why))
            report(Progress(number, len(used), failed=len(found), note=str(circuit.key)))
        return VerifiedModels(len(used), tuple(found))
