"""Models in memory: opened when they are first asked for, and let go, the longest unused first, beyond a budget."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from fleetcast.domain.circuit import Circuit
from fleetcast.domain.identity import Digest
from fleetcast.domain.release import ServedModel
from fleetcast.forecasting.forecaster import Forecaster

OpenOne = Callable[[Circuit, ServedModel], Forecaster]
"""Opens a model of a circuit; blocks."""
Key = tuple[str, int, Digest]


@dataclass(slots=True)
class LoadedModels:
    """Keeps models for all threads of a process. What is given is whole: nobody sees a model half opened."""

    open_one: OpenOne
    budget_bytes: int
    bytes: int = 0
    """What they take together, about."""
    _held: OrderedDict[Key, Forecaster] = field(default_factory=OrderedDict)
    _opening: dict[Key, Future[Forecaster]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def held(self, model: ServedModel) -> Forecaster | None:
        """The model if it is in memory; never waits for another that is being opened."""
        key = _key(model)
        with self._lock:
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
            return found

    def get(self, circuit: Circuit, model: ServedModel) -> Forecaster:
        """The model, opened now if need be; two who ask at once open it once.

        Raises:
            FleetcastError: It cannot be opened; the next who asks tries again.
        """
        key = _key(model)
        with self._lock:
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
                return found
            opening = self._opening.get(key)
            mine = opening is None
            if opening is None:
                opening = self._opening[key] = Future()
        if not mine:
            return opening.result()
        try:
            opened = self.open_one(circuit, model)
        except (
            BaseException
        ) as error:  # whatever it is, those who wait for the same model must not wait for ever
            with self._lock:
                del self._opening[key]
            opening.set_exception(error)
            raise
        with self._lock:
            del self._opening[key]
            self._held[key] = opened
            self.bytes += opened.memory_bytes
            while self.bytes > self.budget_bytes and len(self._held) > 1:
                _, gone = self._held.popitem(last=False)
                self.bytes -= gone.memory_bytes
        opening.set_result(opened)
        return opened

    @property
    def count(self) -> int:
        """How many are in memory."""
        return len(self._held)


def _key(model: ServedModel) -> Key:
    return model.name, model.version, model.artifact
