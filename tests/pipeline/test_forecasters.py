"""What every forecaster promises: each of our families, and models that were trained elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from fleetcast.domain.circuit import Circuit
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import Digest
from fleetcast.domain.model import ModelVersion, TrainedModel
from fleetcast.domain.training_hash import training_hash, training_inputs
from fleetcast.forecasting.artifact import ModelIdentity, save
from fleetcast.forecasting.family import IMPLEMENTATIONS
from fleetcast.forecasting.forecast import Forecast
from fleetcast.forecasting.forecaster import Forecaster, NotedForecast
from fleetcast.forecasting.series import Floats, Series
from fleetcast.forecasting.training import TrainingTask, train
from fleetcast.pipeline.forecasters.opening import OpenedForecaster, open_forecaster
from fleetcast.platforms.files.artifact_store import FileArtifactStore
from fleetcast.platforms.foreign.process import ProcessForeignModels
from fleetcast.ports.artifacts import ArtifactMissing
from fleetcast.ports.foreign_models import ForeignModels
from tests.artifacts import CountingArtifacts
from tests.clocks import NOON
from tests.contracts.samples import adopted, trained
from tests.domain.circuits import CIRCUIT
from tests.foreign_models import HoldsLast, save_foreign

START, HOUR, STEPS = datetime(2025, 1, 1, tzinfo=UTC), timedelta(hours=1), 600
KINDS = (*sorted(IMPLEMENTATIONS), "foreign in memory")
in_processes_too = pytest.mark.parametrize(
    "held", [*KINDS, pytest.param("mlflow", marks=pytest.mark.slow)], indirect=True
)
DECLARED: Circuit = replace(
    CIRCUIT,
    features=("vibration", "pressure", "temperature"),
    targets=("temperature", "vibration"),
    horizon=12 * HOUR,
)
LINES: tuple[Callable[[Forecast], Floats], ...] = (
    lambda forecast: forecast.lower_95,
    lambda forecast: forecast.lower_80,
    lambda forecast: forecast.point,
    lambda forecast: forecast.upper_80,
    lambda forecast: forecast.upper_95,
)


def readings(steps: int = STEPS) -> Series:
    """A daily rhythm with noise and holes, of more sensors than anybody declares, in an order of their own."""
    sensors = ("humidity", "pressure", "temperature", "vibration")
    random = np.random.default_rng(7)
    hours = np.arange(STEPS)[:, None]
    values = np.arange(1, 5) * (20 + 5 * np.sin(2 * np.pi * hours / 24)) + random.normal(size=(STEPS, 4))
    values[300:304, 2] = np.nan
    values[-2:, 3] = np.nan
    return Series(START, HOUR, sensors, values[:steps])


@dataclass(frozen=True)
class Held:
    """A registered version, where its artifact is, and what it is opened with."""

    version: ModelVersion
    artifacts: CountingArtifacts
    foreign: ForeignModels

    def open(self) -> OpenedForecaster:
        return open_forecaster(DECLARED, self.version, self.artifacts, self.foreign)


@pytest.fixture(scope="module", params=KINDS)
def held(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Held:
    """One version of the circuit's model, of each kind."""
    if request.param == "mlflow":
        pytest.importorskip("mlflow", reason="the extra `mlflow` is not installed")
    folder = tmp_path_factory.mktemp("model") / "model"
    model = _ours(folder, request.param) if request.param in IMPLEMENTATIONS else _foreign(folder)
    store = FileArtifactStore(tmp_path_factory.mktemp("store"))
    model = replace(model, artifact=store.keep(folder))
    version = ModelVersion(1, model, NOON)
    foreign = ProcessForeignModels() if request.param == "mlflow" else HoldsLast()
    return Held(version, CountingArtifacts(store), foreign)


@pytest.fixture(scope="module")
def forecaster(held: Held) -> Forecaster:
    return held.open().forecaster


@pytest.fixture(scope="module")
def made(forecaster: Forecaster) -> NotedForecast:
    return forecaster.forecast(readings())


def _ours(folder: Path, family: str) -> TrainedModel:
    inputs = training_inputs(DECLARED)
    identity = ModelIdentity(
        DECLARED.key, DECLARED.model_name, training_hash(inputs), DECLARED.cutoff.end, DECLARED.delta_version
    )
    save(train(readings(), TrainingTask(DECLARED.targets, 12, family)), folder, identity=identity)
    model = trained(DECLARED.model_name)
    return replace(model, lineage=replace(model.lineage, inputs=inputs, training_hash=training_hash(inputs)))


def _foreign(folder: Path) -> TrainedModel:
    inputs = training_inputs(DECLARED)
    save_foreign(folder)
    model = adopted(DECLARED.model_name)
    return replace(model, lineage=replace(model.lineage, inputs=inputs, training_hash=training_hash(inputs)))


def cut_at(series: Series, step: int) -> Series:
    return Series(series.start, series.step, series.sensors, series.values[:step])


def test_it_stands_for_the_version_that_was_opened(held: Held) -> None:
    identity = held.open().identity
    assert (identity.key, identity.model_name) == (DECLARED.key, held.version.name)
    assert identity.training_hash == held.version.training_hash
    assert (identity.cutoff, identity.delta_version) == (DECLARED.cutoff.end, DECLARED.delta_version)


def test_it_says_what_it_reads_and_what_it_forecasts(forecaster: Forecaster) -> None:
    assert set(forecaster.sensors) <= set(forecaster.reads) <= set(DECLARED.features)
    assert forecaster.sensors == DECLARED.targets
    assert (forecaster.step, forecaster.horizon) == (HOUR, 12)
    assert forecaster.lookback >= 1
    assert forecaster.more_history >= 0


def test_opening_asks_for_the_artifact_once_and_forecasting_no_more(held: Held) -> None:
    held.artifacts.opened.clear()
    opened = held.open().forecaster
    assert held.artifacts.opened == [held.version.model.artifact]
    opened.replay(readings(), [START + 500 * HOUR])
    assert held.artifacts.opened == [held.version.model.artifact]


def test_a_version_whose_artifact_is_lost_is_not_opened(held: Held) -> None:
    lost = replace(held.version, model=replace(held.version.model, artifact=Digest.of(b"never kept")))
    with pytest.raises(ArtifactMissing):
        replace(held, version=lost).open()


@in_processes_too
def test_a_forecast_covers_the_horizon_from_where_the_history_ends(made: NotedForecast) -> None:
    forecast = made.forecast
    assert (forecast.start, forecast.step) == (START + STEPS * HOUR, HOUR)
    assert forecast.sensors == DECLARED.targets
    for line in LINES:
        assert line(forecast).shape == (12, 2)
        assert np.isfinite(line(forecast)).all()


@in_processes_too
def test_the_80_interval_lies_inside_the_95_and_the_point_in_both(made: NotedForecast) -> None:
    for lower, upper in pairwise(line(made.forecast) for line in LINES):
        assert (lower <= upper).all()
    assert (made.forecast.lower_95 < made.forecast.upper_95).all()


@in_processes_too
def test_the_same_readings_give_the_same_numbers_again(held: Held, made: NotedForecast) -> None:
    again = held.open().forecaster.forecast(readings())
    for line in LINES:
        assert np.array_equal(line(made.forecast), line(again.forecast))
    assert made.notes == again.notes


def test_the_points_come_from_the_lookback_alone_in_any_order_of_sensors(
    forecaster: Forecaster, made: NotedForecast
) -> None:
    whole = readings()
    turned = Series(
        whole.end - forecaster.lookback * HOUR,
        HOUR,
        whole.sensors[::-1],
        whole.values[-forecaster.lookback :, ::-1],
    )
    short = forecaster.forecast(turned).forecast
    np.testing.assert_allclose(short.point, made.forecast.point, rtol=1e-12)


def test_an_infinite_reading_is_a_hole(forecaster: Forecaster) -> None:
    holed, infinite = readings(), readings()
    holed.values[-4, 2], infinite.values[-4, 2] = np.nan, np.inf
    with_hole, same = forecaster.forecast(holed).forecast, forecaster.forecast(infinite).forecast
    assert np.array_equal(with_hole.point, same.point)


@in_processes_too
def test_a_replay_is_the_error_of_forecasts_from_the_series_cut_off_at_each_origin(
    forecaster: Forecaster,
) -> None:
    series = readings()
    steps = (570, 295, STEPS - 12)
    found = forecaster.replay(series, [START + step * HOUR for step in steps])
    assert found.shape == (3, 2)
    columns = [series.sensors.index(name) for name in forecaster.sensors]
    for row, step in enumerate(steps):
        point = forecaster.forecast(cut_at(series, step)).forecast.point
        for place, column in enumerate(columns):
            errors = [abs(series.values[step + ahead, column] - point[ahead, place]) for ahead in range(12)]
            assert found[row, place] == pytest.approx(sum(errors) / 12, rel=1e-5, nan_ok=True)
    # the temperature has a hole in the second horizon, and the vibration in the last
    assert np.isnan(found).tolist() == [[False, False], [True, False], [False, True]]


def test_what_cannot_be_replayed_is_not_a_number(forecaster: Forecaster) -> None:
    """From before the first reading, between two steps, or where the horizon reaches past the series."""
    origins = [START - HOUR, START, START + 400.5 * HOUR, START + (STEPS - 11) * HOUR]
    assert np.isnan(forecaster.replay(readings(), origins)).all()
    assert forecaster.replay(readings(), []).shape == (0, 2)


def test_an_origin_in_another_time_zone_is_the_same_moment(forecaster: Forecaster) -> None:
    origin = START + 500 * HOUR
    elsewhere = origin.astimezone(datetime.fromisoformat("2025-01-01T00:00+05:30").tzinfo)
    found = forecaster.replay(readings(), [origin, elsewhere])
    assert np.array_equal(found[0], found[1])


def test_an_origin_without_a_time_zone_is_refused(forecaster: Forecaster) -> None:
    with pytest.raises(BadInput, match="has no time zone"):
        forecaster.replay(readings(), [datetime(2025, 1, 20)])  # noqa: DTZ001  # this is the point


def test_a_series_without_one_of_its_sensors_or_on_another_grid_is_refused(forecaster: Forecaster) -> None:
    whole = readings()
    kept = [column for column, name in enumerate(whole.sensors) if name != "temperature"]
    lacking = Series(START, HOUR, tuple(whole.sensors[column] for column in kept), whole.values[:, kept])
    for series in (lacking, Series(START, 2 * HOUR, whole.sensors, whole.values)):
        with pytest.raises(BadInput):
            forecaster.forecast(series)
        with pytest.raises(BadInput):
            forecaster.replay(series, [START + 100 * HOUR])
