"""What fleetcast needs to remember of changes that it makes outside the control database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from fleetcast.domain.effect import Effect


class EffectBook(Protocol):
    """Remembers what was about to be done, so that a crash in the middle is finished by whoever comes next."""

    def intend(self, effects: Sequence[Effect]) -> None:
        """Write down what is about to be done; an effect whose key is known is left as it is."""
        ...

    def unconfirmed(self) -> Sequence[Effect]:
        """What was intended and not recorded yet, oldest first: it may have been done, or not."""
        ...

    def record(self, effects: Sequence[Effect]) -> None:
        """Write down that effects were seen to be done, each with its audit entry, all or none.

        What the log says is what is handed in: a row may have been typed into the table.

        One that was recorded before, or never intended, is left as it is.
        """
        ...

    def drop(self, effects: Sequence[Effect]) -> None:
        """Forget what was intended, was not done, and never will be, as something else was decided since.

        One that was recorded stays.
        """
        ...
