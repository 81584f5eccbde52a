"""Keys by which clients ask an endpoint: shown once, kept as digests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fleetcast.domain.place import Scope
from fleetcast.domain.release import Endpoint
from fleetcast.domain.role import Right
from fleetcast.domain.token import digest_of_secret, new_secret
from fleetcast.ports.endpoints import EndpointKeys
from fleetcast.ports.platform import Control

PREFIX = "fck"
"""What a key begins with; it lets scanners for leaked secrets find one."""


@dataclass(frozen=True, slots=True)
class MakeKey:
    """Puts a new key in place of another."""

    control: Control
    keys: EndpointKeys
    random: Callable[[int], str]
    """URL-safe text of so many random bytes."""

    def __call__(self, endpoint: Endpoint, slot: str) -> str:
        """Make it; gives its text, which nobody can be shown again.

        Raises:
            Denied: Whoever acts may not.
        """
        self.control.require(Right.OPERATE, Scope(environment=endpoint.environment, plant=endpoint.plant))
        secret, _ = new_secret(self.random)
        text = f"{PREFIX}_{secret}"
        self.keys.put(endpoint, slot, digest_of_secret(text))
        return text
