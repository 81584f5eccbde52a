"""Down the chain: each link is broken, and a forecast is never empty."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from fleetcast.domain.errors import BadInput, Unavailable
from fleetcast.domain.fallback import Chain, Source, Unused
from fleetcast.domain.identity import Digest
from fleetcast.domain.quality import SensorLimits
from fleetcast.forecasting.forecast import Forecast
from fleetcast.forecasting.forecaster import NotedForecast
from fleetcast.forecasting.series import Floats, Series
from fleetcast.pipeline.forecasters.chain import Opener, Published, Wanted, forecast_down
from fleetcast.ports.artifacts import ArtifactMissing

HORIZON = 12
HOURS = np.arange(24 * 40)
HISTORY = Series(
    datetime(2025, 1, 1, tzinfo=UTC),
    timedelta(hours=1),
    ("temperature", "pressure"),
    np.stack(
        [
            50 + 5 * np.sin(2 * np.pi * HOURS / 24) + np.random.default_rng(1).normal(size=len(HOURS)),
            8 + np.cos(2 * np.pi * HOURS / 24) + 0.1 * np.random.default_rng(2).normal(size=len(HOURS)),
        ],
        axis=1,
    ),
)


@dataclass(frozen=True)
class Says:
    """A model that forecasts these points."""

    point: Floats
    width: float = 1.0

    reads = sensors = HISTORY.sensors
    step = HISTORY.step
    lookback = horizon = HORIZON
    more_history = 0
    waits = False
    memory_bytes = 0
    repeated_decimals = 6

    def forecast(self, history: Series) -> NotedForecast:
        low, high = self.point - self.width, self.point + self.width
        return NotedForecast(
            Forecast(history.end, self.step, self.sensors, self.point, low, high, low, high), ()
        )

    def replay(self, *_: object) -> Floats:
        raise AssertionError("nobody replays here")


GOOD = HISTORY.values[:HORIZON]
OTHER = HISTORY.values[HORIZON : 2 * HORIZON]


def opens(point: Floats, width: float = 1.0) -> Opener:
    return lambda: Says(point, width)


def breaks(error: Exception) -> Opener:
    def opener() -> Says:
        raise error

    return opener


def published(**changed: object) -> Published:
    wanted = Wanted(
        HISTORY.sensors,
        HORIZON,
        HISTORY,
        {Source.MODEL: opens(GOOD), Source.PREVIOUS_MODEL: opens(OTHER)},
    )
    found = forecast_down(replace(wanted, **changed))  # type: ignore[arg-type]  # fields of it
    for name in ("lower_95", "lower_80", "point", "upper_80", "upper_95"):
        line = getattr(found.forecast, name)
        assert line.shape == (HORIZON, 2)
        assert np.isfinite(line).all()
    assert (found.forecast.lower_95 <= found.forecast.point).all()
    assert (found.forecast.point <= found.forecast.upper_95).all()
    assert set(found.origins) == set(HISTORY.sensors)
    return found


def codes(found: Published) -> list[str]:
    return [found.origins[sensor].code for sensor in HISTORY.sensors]


def test_a_model_that_works_is_published_as_it_is() -> None:
    found = published()
    assert np.array_equal(found.forecast.point, GOOD)
    assert codes(found) == ["", ""]
    assert not found.quarantined


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (Unused.BLOCKED, "blocked"),
        (breaks(ArtifactMissing(Digest.of(b"cut"))), "damaged"),
        (breaks(BadInput("it is no model")), "broke"),
        (breaks(Unavailable("the store does not answer")), "unreachable"),
        (opens(np.full_like(GOOD, np.nan)), "not finite"),
        (opens(GOOD, np.inf), "not finite"),
        (opens(GOOD[:-1]), "wrong length"),
        (opens(GOOD * 100), "off scale"),
        (opens(np.tile(GOOD[:1], (HORIZON, 1))), "constant"),
    ],
)
def test_the_previous_model_takes_the_place_of_one_that_cannot_be_used(
    model: Opener | Unused, why: str
) -> None:
    found = published(models={Source.MODEL: model, Source.PREVIOUS_MODEL: opens(OTHER)})
    assert np.array_equal(found.forecast.point, OTHER)
    assert codes(found) == [f"model: {why}"] * 2


def test_each_link_is_broken_in_turn() -> None:
    broken = breaks(BadInput("it is no model"))
    naive = published(models={Source.MODEL: broken})
    assert codes(naive) == ["model: broke; previous model: absent"] * 2
    assert naive.origins["pressure"].source is Source.SEASONAL_NAIVE
    assert np.abs(naive.forecast.point - HISTORY.values[:HORIZON]).max() < 10
    short = replace(HISTORY, values=HISTORY.values[-30:])
    last = published(models={Source.MODEL: broken}, history=short)
    assert codes(last) == ["model: broke; previous model: absent; seasonal naive: too little history"] * 2
    assert np.array_equal(last.forecast.point, np.tile(short.values[-1:], (HORIZON, 1)))


def test_the_last_good_value_may_be_from_long_ago_and_stays_within_limits() -> None:
    unread = replace(HISTORY, values=np.full((30, 2), np.nan))
    found = published(
        models={},
        history=unread,
        last_good={"temperature": 51.0, "pressure": 12.0},
        limits={"pressure": SensorLimits(0.0, 10.0)},
    )
    assert set(found.forecast.point[:, 0]) == {51.0}
    assert set(found.forecast.point[:, 1]) == {10.0}


def test_one_sensor_that_cannot_be_true_is_replaced_and_kept_apart() -> None:
    wrong = GOOD.copy()
    wrong[3, 1] = np.inf
    found = published(models={Source.MODEL: opens(wrong), Source.PREVIOUS_MODEL: opens(OTHER)})
    assert codes(found) == ["", "model: not finite"]
    assert np.array_equal(found.forecast.point[:, 0], GOOD[:, 0])
    assert np.array_equal(found.forecast.point[:, 1], OTHER[:, 1])
    (apart,) = found.quarantined
    assert (apart.sensor, apart.source, apart.why) == ("pressure", Source.MODEL, Unused.NOT_FINITE)
    assert np.array_equal(apart.point, wrong[:, 1])


def test_limits_are_those_of_now() -> None:
    found = published(limits={"temperature": SensorLimits(maximum=float(GOOD[:, 0].max()) - 1)})
    assert found.quarantined[0].why is Unused.OUTSIDE_LIMITS


def test_a_chain_that_leaves_links_out_asks_fewer() -> None:
    found = published(
        models={Source.PREVIOUS_MODEL: opens(OTHER)}, chain=Chain((Source.MODEL, Source.LAST_VALUE))
    )
    assert codes(found) == ["model: absent"] * 2
    assert found.origins["pressure"].source is Source.LAST_VALUE


def test_a_sensor_that_was_never_read_is_named() -> None:
    unread = replace(HISTORY, values=np.full((30, 2), np.nan))
    with pytest.raises(BadInput, match="temperature has never been read"):
        published(models={}, history=unread)
    with pytest.raises(BadInput, match="no sensor humidity"):
        published(sensors=("humidity",))


def test_of_a_sensor_that_is_silent_the_last_reading_from_before_is_published_and_no_zero() -> None:
    values = HISTORY.values.copy()
    values[:, 1] = np.nan
    silent = replace(HISTORY, values=values)
    nothing = {Source.MODEL: Unused.BROKE, Source.PREVIOUS_MODEL: Unused.ABSENT}
    found = forecast_down(Wanted(HISTORY.sensors, HORIZON, silent, nothing, last_good={"pressure": 7.5}))
    assert [found.origins[name].source for name in HISTORY.sensors] == [
        Source.SEASONAL_NAIVE,
        Source.LAST_VALUE,
    ]
    assert set(found.forecast.point[:, 1]) == {7.5}
    with pytest.raises(BadInput, match="pressure has never been read"):
        forecast_down(Wanted(HISTORY.sensors, HORIZON, silent, nothing))
