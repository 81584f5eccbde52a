"""Changing the world outside the control database: intend, do, confirm by reading back, record."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from fleetcast.domain.effect import Effect
from fleetcast.domain.errors import Unavailable
from fleetcast.pipeline.propagation import until_visible
from fleetcast.ports.clock import Clock
from fleetcast.ports.effects import EffectBook


@dataclass(frozen=True, slots=True)
class CarryOut:
    """Makes changes so that a crash between any two steps is finished by the next run, and done once."""

    book: EffectBook
    clock: Clock

    def __call__(
        self,
        effects: Sequence[Effect],
        *,
        do: Callable[[], None],
        done: Callable[[Collection[str]], Collection[str]],
        what: str,
    ) -> None:
        """Carry effects out.

        Args:
            effects: What is to be done.
            do: Does it. May fail, and may have done it all the same.
            done: Reads back which of some keys are done.
            what: For people: `3 models`.

        Raises:
            FleetcastError: It was not done, as reading back shows.
            Unavailable: It does not show in time; the next run looks again.
        """
        keys = {effect.key for effect in effects}
        self.book.intend(effects)
        try:
            do()
        except Unavailable:
            if set(done(keys)) != keys:
                raise
        until_visible(lambda: set(done(keys)) == keys, what, self.clock)
        self.book.record(effects)

    def finish(
        self,
        done: Callable[[Collection[str]], Collection[str]],
        agreed: Callable[[Sequence[Effect]], Sequence[Effect]],
    ) -> None:
        """Record what an interrupted run did but had no time to record.

        Args:
            done: Reads back which of some keys are done.
            agreed: Those of some effects that somebody had agreed to: rows can be typed into a table.
        """
        left = self.book.unconfirmed()
        if left and (seen := set(done([effect.key for effect in left]))):
            self.book.record(agreed([effect for effect in left if effect.key in seen]))
