"""What is installed around a fleet: things that a person could also click together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from fleetcast.domain.installation import Item


class Installation(Protocol):
    """Things of one project or resource group, each known by its kind and name.

    `found` reads and changes nothing. `create` and `change` follow on it, with what it found and what was made since.
    Whoever has no right to something is told by `BadInput`; `Unavailable` says that there was no answer, so that
    the thing may or may not be there: another `found` tells.
    """

    def found(self, wanted: Iterable[Item]) -> Sequence[Item]:
        """What is there, somebody else's things too; of what is wanted, with every detail.

        Where several have one name, the one that was made first comes first.
        """

    def create(self, item: Item) -> None:
        """Make what is not there."""

    def change(self, item: Item) -> None:
        """Give what is there the fields of `item`; what it has besides stays."""
