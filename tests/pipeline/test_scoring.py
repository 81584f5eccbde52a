"""Forecasting as a release serves it: its own model, else the next in the chain, and never nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from fleetcast.domain.errors import BadInput, FleetcastError, Unavailable
from fleetcast.domain.fallback import Source, Unused
from fleetcast.domain.health import Invalid
from fleetcast.domain.identity import Digest
from fleetcast.domain.release import ServedModel
from fleetcast.forecasting.series import Series
from fleetcast.pipeline.scoring import Open, Scored, Serves, score
from fleetcast.ports.artifacts import ArtifactMissing
from tests.pipeline.test_chain import GOOD, HISTORY, HORIZON, OTHER, Says

NOW, BEFORE = (
    ServedModel("m", number, Digest.of(f"artifact {number}".encode()), Digest.of(f"hash {number}".encode()))
    for number in (2, 1)
)
SERVES = Serves(NOW, BEFORE, HISTORY.sensors, HISTORY.step, HORIZON)
asked: list[ServedModel] = []


def models(**given: Says | Exception) -> Open:
    """Gives `now` and `before`, or raises."""

    def open_model(model: ServedModel) -> Says:
        asked.append(model)
        found = given["now" if model == NOW else "before"]
        if isinstance(found, Exception):
            raise found
        return found

    return open_model


def scored(serves: Serves = SERVES, history: Series = HISTORY, **given: Says | Exception) -> Scored:
    asked.clear()
    return score(serves, history, models(**given))


def test_a_model_that_forecasts_is_asked_once_and_nobody_else() -> None:
    found = scored(now=Says(GOOD), before=Says(OTHER))
    np.testing.assert_array_equal(found.forecast.point, GOOD)
    assert (found.by, found.wrong, asked) == (NOW, None, [NOW])
    assert {origin.source for origin in found.origins.values()} == {Source.MODEL}


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (ArtifactMissing(NOW.artifact), Unused.DAMAGED),
        (Unavailable("no"), Unused.UNREACHABLE),
        (FleetcastError("no"), Unused.BROKE),
    ],
)
def test_one_that_cannot_be_opened_is_replaced_by_the_one_before(error: FleetcastError, why: Unused) -> None:
    found = scored(now=error, before=Says(OTHER))
    np.testing.assert_array_equal(found.forecast.point, OTHER)
    assert (found.by, found.wrong, asked) == (BEFORE, None, [NOW, BEFORE])
    assert {origin.code for origin in found.origins.values()} == {f"model: {why}"}


def test_what_cannot_be_true_is_replaced_sensor_by_sensor_and_said() -> None:
    spoilt = GOOD.copy()
    spoilt[3, 0] = np.nan
    found = scored(now=Says(spoilt), before=Says(OTHER))
    np.testing.assert_array_equal(found.forecast.point, np.column_stack([OTHER[:, 0], GOOD[:, 1]]))
    assert (found.by, found.wrong) == (NOW, Invalid.NOT_FINITE)
    assert [found.origins[sensor].code for sensor in HISTORY.sensors] == ["model: not finite", ""]


def test_without_any_model_there_is_a_forecast_all_the_same() -> None:
    found = scored(now=FleetcastError("no"), before=FleetcastError("no"))
    assert found.by is None
    assert {origin.source for origin in found.origins.values()} == {Source.SEASONAL_NAIVE}
    assert np.isfinite(found.forecast.point).all()
    assert len(found.forecast) == HORIZON


def test_a_held_circuit_asks_no_model() -> None:
    found = scored(replace(SERVES, model=Unused.HELD, previous=None), now=Says(GOOD))
    assert (found.by, asked) == (None, [])
    assert {origin.code for origin in found.origins.values()} == {"model: held; previous model: absent"}


def test_a_history_that_does_not_fit_is_the_askers_mistake() -> None:
    with pytest.raises(BadInput, match="no sensor pressure"):
        scored(
            history=Series(HISTORY.start, HISTORY.step, ("temperature",), HISTORY.values[:, :1]),
            now=Says(GOOD),
        )
    with pytest.raises(BadInput, match="a step of"):
        scored(history=replace(HISTORY, step=timedelta(minutes=1)), now=Says(GOOD))
