import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from fleetcast.domain.artifact import ArtifactFiles
from fleetcast.domain.circuit import HyperparameterValue
from fleetcast.domain.errors import BadInput
from fleetcast.domain.identity import CircuitKey, Digest
from fleetcast.forecasting.artifact import (
    ModelIdentity,
    load,
    load_backtest,
    load_identity,
    load_scores,
    save,
)
from fleetcast.forecasting.series import Floats, Series
from fleetcast.forecasting.training import Trained, TrainingTask, train
from fleetcast.stored.plain_folder import read_plain

Rhythm = Callable[..., Floats]
SeriesOf = Callable[..., Series]
IDENTITY = ModelIdentity(
    CircuitKey("PLANT001", "CIRCUIT01"),
    "plant001-circuit01",
    Digest.of(b"inputs"),
    datetime(2025, 4, 1, tzinfo=UTC),
    delta_version=3,
)


@pytest.fixture(scope="module")
def trained(rhythm: Rhythm, series_of: SeriesOf) -> Trained:
    values = rhythm(700, 3)
    values[:, 2] = 0.0
    return train(series_of(values), TrainingTask(("a", "b", "c"), 12, "linear"))


@pytest.fixture
def folder(trained: Trained, tmp_path: Path) -> Path:
    save(trained, tmp_path / "model", identity=IDENTITY)
    return tmp_path / "model"


def test_identity_metrics_and_backtest_come_back(folder: Path, trained: Trained) -> None:
    assert load_identity(read_plain(folder)) == IDENTITY
    scores, backtest = load_scores(read_plain(folder)), load_backtest(read_plain(folder))
    assert scores.sensors["a"].mae == pytest.approx(trained.metrics["a"].mae, rel=1e-5)
    assert scores.mean.skill == pytest.approx(trained.mean.skill, rel=1e-5)
    assert scores.mean.mae is None
    assert scores.sensors["c"].wape is None
    assert backtest.origins == trained.backtest.origins
    assert (backtest.seasons, backtest.trained_before) == (
        trained.backtest.seasons,
        trained.backtest.trained_before,
    )
    assert np.allclose(backtest.model_mae, trained.backtest.model_mae, rtol=1e-5)


def test_nothing_in_the_folder_is_a_pickle(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [
        "MLmodel",
        "backtest.json",
        "metrics.json",
        "model.json",
        "python_env.yaml",
        "requirements.txt",
        "weights.safetensors",
    ]


def test_weights_are_stored_in_half_precision(folder: Path) -> None:
    weights = load(read_plain(folder)).model.tensors["weights"]
    assert np.array_equal(weights, weights.astype(np.float16)), "and read as single precision"
    assert weights.dtype == np.float32


def test_stored_metrics_are_of_the_model_as_stored(rhythm: Rhythm, series_of: SeriesOf) -> None:
    # as many weights as readings and no shrinkage: weights too large for 16 bits to leave the errors alone
    hours = np.arange(400)
    smooth = np.sin(2 * np.pi * hours / 24) + 1e-4 * np.random.default_rng(0).normal(size=400)
    task = TrainingTask(("a",), 4, "linear", {"ridge": 0.0, "lookback": 60})
    model = train(series_of(smooth[:, None]), task).model.model
    assert model.tensors["weights"].dtype == np.float32


def test_a_circuit_of_six_sensors_and_a_week_of_hours_fits_into_700_kilobytes(
    rhythm: Rhythm, series_of: SeriesOf, tmp_path: Path
) -> None:
    series = series_of(rhythm(4_000, 6))
    declared: dict[str, HyperparameterValue] = {"sharing": "per-sensor", "lookback": 336}
    save(train(series, TrainingTask(series.sensors, 168, "linear", declared)), tmp_path, identity=IDENTITY)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 700_000


@pytest.mark.parametrize("name", ["model.json", "weights.safetensors"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(BadInput, match=f"{name} is missing"):
        load(read_plain(folder))


def test_a_single_changed_byte_of_the_weights_is_noticed(folder: Path) -> None:
    weights = folder / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(BadInput, match=r"weights.safetensors is not what was saved"):
        load(read_plain(folder))


DAMAGES: Mapping[str, Callable[[bytes], bytes]] = {
    "no byte": lambda _: b"",
    "one byte": lambda whole: whole[:1],
    "two bytes": lambda whole: whole[:2],
    "half": lambda whole: whole[: len(whole) // 2],
    "all but two bytes": lambda whole: whole[:-2],
    "no UTF-8": lambda whole: whole[:9] + b"\xff" + whole[10:],
    "null": lambda _: b"null",
    "a list": lambda _: b"[]",
    "an empty object": lambda _: b"{}",
    "endless nesting": lambda _: b"[" * 100_000,
}
READERS: Sequence[tuple[str, Callable[[ArtifactFiles], object]]] = [
    ("model.json", load),
    ("model.json", load_identity),
    ("metrics.json", load_scores),
    ("backtest.json", load_backtest),
    ("weights.safetensors", load),
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_torn_file_of_an_artifact_is_one_error_that_names_it(folder: Path, damage: str) -> None:
    for name, read in READERS:
        file = folder / name
        whole = file.read_bytes()
        file.write_bytes(DAMAGES[damage](whole))
        with pytest.raises(BadInput, match=name.replace(".", r"\.")) as refused:
            read(read_plain(folder))
        assert refused.value.fix
        file.write_bytes(whole)


def test_a_folder_in_the_place_of_a_file_is_one_error_that_names_it(folder: Path) -> None:
    for name, read in READERS:
        (folder / name).rename(folder / "whole")
        (folder / name).mkdir()
        with pytest.raises(BadInput, match=name.replace(".", r"\.")):
            read(read_plain(folder))
        (folder / name).rmdir()
        (folder / "whole").rename(folder / name)


def test_a_step_that_no_clock_counts_is_refused(folder: Path) -> None:
    description = json.loads((folder / "model.json").read_text())
    description["step_microseconds"] = 10**30
    (folder / "model.json").write_text(json.dumps(description))
    with pytest.raises(BadInput, match="is damaged"):
        load(read_plain(folder))


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"format": 1}', '{"format": "1"}', "\x00\xff"])
def test_a_damaged_description_is_refused(folder: Path, text: str) -> None:
    (folder / "model.json").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as refused:
        load(read_plain(folder))
    assert "model.json" in str(refused.value)
    assert refused.value.fix


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("format", 99),
        ("family", "gone"),
        ("horizon", 11),
        ("sensors", ["a"]),
        ("sensors", ["a", 2, "c"]),
        ("choices", {}),
        ("choices", {"lookback": 5, "ridge": 1.0, "normalisation": "last", "sharing": "pooled"}),
        ("step_microseconds", None),
    ],
)
def test_a_description_that_does_not_fit_the_weights_is_refused(
    folder: Path, field: str, value: object
) -> None:
    description = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**description, field: value}))
    with pytest.raises(BadInput):
        load(read_plain(folder))


@pytest.mark.parametrize(
    ("field", "value"),
    [("origins", ["2025-01-01T00:00:00"]), ("model_mae", [[1.0]]), ("naive_mae", [[1], [1, 2]])],
)
def test_a_damaged_backtest_is_refused(folder: Path, field: str, value: object) -> None:
    stored = json.loads((folder / "backtest.json").read_text())
    (folder / "backtest.json").write_text(json.dumps({**stored, field: value}))
    with pytest.raises(BadInput, match=r"backtest.json"):
        load_backtest(read_plain(folder))


def test_a_model_of_format_1_forecasts_what_it_did() -> None:
    """Its intervals reach as far down as up; weights are of single precision, and processors add in another order."""
    folder = Path(__file__).parents[1] / "golden" / "artifacts" / "format_1"
    hours = [[20.0 + hour % 5, 5.0 - hour % 3] for hour in range(12)]
    model = load(read_plain(folder))
    history = Series(datetime(2025, 1, 1, tzinfo=UTC), model.step, model.sensors, np.array(hours))
    forecast = model.forecast(history)
    for line, before in json.loads((folder / "forecast.json").read_text()).items():
        np.testing.assert_allclose(getattr(forecast, line), before, rtol=1e-6)
