"""From what a client asks to what it is answered, for any release: the same for what serves and for what comes."""

from __future__ import annotations

import logging
import math
import traceback
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

from fleetcast.domain.circuit import Circuit
from fleetcast.domain.errors import BadInput, FleetcastError
from fleetcast.domain.health import Invalid
from fleetcast.domain.release import ServedModel
from fleetcast.domain.traffic import Colour
from fleetcast.forecasting.forecaster import Forecaster
from fleetcast.pipeline.scoring import Serves, score
from fleetcast.ports.clock import Clock
from fleetcast.serving.answers import Named, ReadFrom, encoded, forecast_as_json, refusal_as_json, together
from fleetcast.serving.asked import Asked, AskedTogether, Refused
from fleetcast.serving.loaded_models import LoadedModels
from fleetcast.serving.newest import Newest, NewestReadings
from fleetcast.serving.plants import ServedPlant
from fleetcast.serving.tracing import NOTHING, Trace, untraced

FROM_REQUEST = ReadFrom("request")


_log = logging.getLogger("fleetcast.serving")


@dataclass(frozen=True, slots=True)
class Answered:
    """One forecast, and what was wrong with what the release's own model gave."""

    forecast: Mapping[str, Any]
    wrong: Invalid | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A forecast that is asked for, and who gives it."""

    asked: Asked
    circuit: Circuit
    serves: Serves
    override: str
    """Why that is another than the release says; empty if it is not."""
    opened: Forecaster | None = None
    """The model, if it was at hand."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a client is sent, and what is counted of it."""

    status: int
    body: bytes
    forecasts: int = 0
    invalid: tuple[Invalid, ...] = ()
    retry_after_seconds: int | None = None


def refusal(refused: Refused) -> Reply:
    """What is said to a request that cannot be answered."""
    wait = refused.retry_after
    return Reply(
        refused.status,
        encoded(refusal_as_json(refused)),
        retry_after_seconds=None if wait is None else max(1, math.ceil(wait.total_seconds())),
    )


BROKEN = Reply(
    500, encoded({"status": 500, "detail": "something broke", "fix": "tell whoever runs this server"})
)


@dataclass(frozen=True, slots=True)
class Engine:
    """Forecasts; remembers models and readings, and nothing of who asked."""

    models: LoadedModels
    readings: NewestReadings
    clock: Clock
    trace: Trace = untraced

    def open_all(self, plant: ServedPlant) -> Mapping[str, FleetcastError]:
        """Open every model of a release whose circuit is declared here; gives what went wrong, by circuit."""
        wrong: dict[str, FleetcastError] = {}
        for name, model in plant.release.release.circuits.items():
            if name not in plant.circuits:
                continue
            try:
                self._open(plant.circuits[name], model)
            except FleetcastError as error:
                wrong[name] = error
        return wrong

    def at_hand(self, plant: ServedPlant, asked: Sequence[Asked]) -> Sequence[Wanted] | None:
        """What answers each, if it is in memory and no other process is asked: then `reply` takes a moment.

        Raises:
            Refused: A circuit is not served.
        """
        found = []
        for one in asked:
            circuit = plant.circuit(one.circuit)
            serves, override = plant.serves(circuit, self.clock.now())
            if not isinstance(serves.model, ServedModel):
                return None
            held = self.models.held(serves.model)
            if held is None or held.waits:
                return None
            if one.history is None and self.readings.held(circuit) is None:
                return None
            found.append(Wanted(one, circuit, serves, override, held))
        return found

    def reply(
        self,
        plant: ServedPlant,
        asked: AskedTogether,
        colour: Colour,
        at_hand: Sequence[Wanted] | None = None,
    ) -> Reply:
        """Answer a whole request; never raises.

        Args:
            plant: What is served.
            asked: What is asked for.
            colour: Which deployment this is.
            at_hand: What answers each, if it was looked for already.
        """
        try:
            wanted = at_hand or [self._wanted(plant, one) for one in asked.forecasts]
            answered = [self._forecast(plant, one, colour) for one in wanted]
            body = together([one.forecast for one in answered], many=asked.many)
        except Refused as refused:
            return refusal(refused)
        except Exception as error:  # noqa: BLE001  # the last who can answer; nothing of it reaches the client
            where = "".join(traceback.format_tb(error.__traceback__))
            _log.error("a request of %s broke: %s\n%s", plant.name, type(error).__name__, where)
            return BROKEN
        wrong = [one.wrong for one in answered if one.wrong is not None]
        return Reply(200, body, len(answered), tuple(wrong))

    def _wanted(self, plant: ServedPlant, asked: Asked) -> Wanted:
        """Who answers at this moment.

        Raises:
            Refused: The circuit is not served.
        """
        circuit = plant.circuit(asked.circuit)
        return Wanted(asked, circuit, *plant.serves(circuit, self.clock.now()))

    def _forecast(self, plant: ServedPlant, wanted: Wanted, colour: Colour) -> Answered:
        """Forecast one circuit; may wait for files, readings or another process.

        Raises:
            Refused: What was sent along is not what it can be forecast from.
        """
        asked, circuit, serves = wanted.asked, wanted.circuit, wanted.serves
        found = self._newest(circuit, serves, asked)
        try:
            with self._traced(plant, circuit, colour):
                scored = score(serves, found.history, partial(self._opened, wanted), found.last_good)
        except BadInput as error:
            # What a client sent is theirs; what was read here is ours.
            status = 503 if asked.history is None else 422
            raise Refused(status, str(error), error.fix) from error
        named = Named(
            circuit.key.plant,
            circuit.key.circuit,
            plant.name,
            colour,
            found.read_from,
            wanted.override,
            circuit.units,
        )
        return Answered(forecast_as_json(scored, named), scored.wrong)

    def _traced(self, plant: ServedPlant, circuit: Circuit, colour: Colour) -> AbstractContextManager[object]:
        if self.trace is untraced:
            return NOTHING
        known = {"circuit": str(circuit.key), "release": plant.name, "deployment": colour.value}
        return self.trace("forecast", known)

    def _newest(self, circuit: Circuit, serves: Serves, asked: Asked) -> Newest:
        if asked.history is not None:
            return Newest(asked.history.on(serves.step), FROM_REQUEST)
        forecaster = None
        if isinstance(serves.model, ServedModel):
            try:
                forecaster = self._open(circuit, serves.model)
            except FleetcastError:
                forecaster = None  # what takes its place needs readings all the same
        try:
            with self.trace("read readings", {"circuit": str(circuit.key), "source": circuit.data_source}):
                return self.readings.get(circuit, forecaster)
        except FleetcastError as error:
            raise Refused(503, f"no readings of {circuit.key.circuit}: {error}", "send a history") from error

    def _opened(self, wanted: Wanted, model: ServedModel) -> Forecaster:
        if wanted.opened is not None and model == wanted.serves.model:
            return wanted.opened
        return self._open(wanted.circuit, model)

    def _open(self, circuit: Circuit, model: ServedModel) -> Forecaster:
        held = self.models.held(model)
        if held is not None:
            return held
        with self.trace("open model", {"model": str(model), "artifact": model.artifact.hex}):
            return self.models.get(circuit, model)
