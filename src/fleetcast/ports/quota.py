"""How many cores training may use."""

from __future__ import annotations

from typing import Protocol

from fleetcast.domain.quota import CoresKnown


class CoreQuota(Protocol):
    """Where training runs on machines of which only so many may be used.

    Asked once for a plan that trains something. Raises nothing of its own: what cannot be read is not known.
    """

    @property
    def most_nodes(self) -> int:
        """As far as the cluster that trains grows."""
        ...

    def cores(self) -> CoresKnown:
        """What may be used of the machines that train."""
        ...
