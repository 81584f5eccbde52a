"""Foreign models in their own process: what they are given, and what they cannot do."""

from __future__ import annotations

import json
import os
import time
import warnings
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from fleetcast.domain.errors import BadInput
from fleetcast.domain.foreign import ForeignLimits
from fleetcast.platforms.foreign.process import ProcessForeignModels
from fleetcast.ports.foreign_models import Floats, ForeignModelFailed, ForeignTask
from fleetcast.stored.plain_folder import copy_plain
from tests.foreign_models import save_foreign
from tests.scenarios.repository import alive

pytest.importorskip("mlflow", reason="the extra `mlflow` is not installed")
pytestmark = pytest.mark.slow  # each starts an interpreter that imports MLflow

END = datetime(2025, 3, 1, tzinfo=UTC)
LENGTH = 48
WINDOW = np.column_stack([np.arange(LENGTH, dtype=float), 100 + np.arange(LENGTH, dtype=float)])[None]


def ask(folder: Path, limits: ForeignLimits | None = None, windows: Floats = WINDOW) -> Floats:
    sensors = ("temperature", "vibration")
    task = ForeignTask("m:1", partial(copy_plain, folder), sensors, sensors, timedelta(hours=1), 12)
    models = ProcessForeignModels(limits or ForeignLimits(time=timedelta(seconds=50)))
    return models.points(task, windows, [END + timedelta(hours=number) for number in range(len(windows))])


def test_a_model_forecasts_from_each_window(tmp_path: Path) -> None:
    windows = np.concatenate([WINDOW, WINDOW + 1000])
    found = ask(save_foreign(tmp_path / "m"), windows=windows)
    assert found.shape == (2, 12, 2)
    assert found[0, :, 0].tolist() == [float(hour) for hour in range(24, 36)]
    assert found[1, :, 1].tolist() == [float(1100 + hour) for hour in range(24, 36)]


def test_a_model_is_given_a_frame_that_ends_where_the_forecast_begins(tmp_path: Path) -> None:
    checks = """
        assert list(frame.columns) == ["temperature", "vibration"]
        assert frame.index.name == "timestamp" and str(frame.index.tz) == "UTC"
        assert frame.index[-1] == pd.Timestamp("2025-02-28 23:00", tz="UTC")
        times = pd.date_range("2025-03-01", periods=12, freq="h", tz="UTC")
        return pd.DataFrame({"vibration": 2.0, "temperature": 1.0, "more": 0}, index=times)
    """
    assert ask(save_foreign(tmp_path / "m", checks))[0, 0].tolist() == [1.0, 2.0]


def test_a_signature_picks_the_columns_and_the_form_of_time(tmp_path: Path) -> None:
    columns = [{"name": "vibration", "type": "double"}, {"name": "timestamp", "type": "datetime"}]
    checks = """
        assert list(frame.columns) == ["vibration", "timestamp"]
        assert frame["timestamp"].dt.tz is None
        times = frame["timestamp"].iloc[-1] + pd.to_timedelta(np.arange(1, 13), unit="h")
        long = [pd.DataFrame({"timestamp": times, "sensor": name, "point": 7.0}) for name in TARGETS]
        return pd.concat(long)
    """
    folder = save_foreign(tmp_path / "m", checks, signature=json.dumps(columns))
    assert ask(folder).tolist() == [[[7.0, 7.0]] * 12]


def test_a_signature_of_an_array_is_given_one(tmp_path: Path) -> None:
    tensor = [{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 48, 2]}}]
    checks = "assert frame.shape == (1, 48, 2) and frame.dtype == np.float32; return frame[:, -12:]"
    folder = save_foreign(tmp_path / "m", checks, signature=json.dumps(tensor))
    assert ask(folder)[0, -1].tolist() == [47.0, 147.0]


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [("float", "float32"), ("double", "float64"), ("integer", "int32"), ("long", "int64")],
)
def test_readings_are_cast_to_the_types_of_the_signature(tmp_path: Path, kind: str, dtype: str) -> None:
    columns = [{"name": name, "type": kind} for name in ("temperature", "vibration")]
    checks = (
        f"assert (frame.dtypes == '{dtype}').all(), frame.dtypes; return frame.tail(12)[TARGETS].to_numpy()"
    )
    folder = save_foreign(tmp_path / "m", checks, signature=json.dumps(columns))
    assert ask(folder, windows=WINDOW + 0.2)[0, -1].round().tolist() == [47.0, 147.0]


def test_an_optional_column_that_no_reading_can_be_is_left_out(tmp_path: Path) -> None:
    columns = [
        {"name": "temperature", "type": "float"},
        {"name": "vibration", "type": "float"},
        {"name": "shift", "type": "string", "required": False},
    ]
    assert ask(save_foreign(tmp_path / "m", signature=json.dumps(columns))).shape == (1, 12, 2)


@pytest.mark.parametrize(
    ("kind", "reading", "says"),
    [
        ("integer", 3e9, "the reading 3e\\+09 of temperature is no int32"),
        ("float", 1e39, "the reading 1e\\+39 of temperature is no float32"),
        ("boolean", 0.5, "the reading 0.5 of temperature is no bool"),
    ],
)
def test_a_reading_that_cannot_be_cast_is_named(tmp_path: Path, kind: str, reading: float, says: str) -> None:
    columns = [{"name": "temperature", "type": kind}, {"name": "vibration", "type": "double"}]
    folder = save_foreign(tmp_path / "m", signature=json.dumps(columns))
    with pytest.raises(ForeignModelFailed, match=f"m:1 cannot be given its readings: {says}"):
        ask(folder, windows=np.full((1, 48, 2), reading))


@pytest.mark.parametrize("kind", ["string", "binary", "datetime", "array"])
def test_a_column_that_no_reading_can_be_is_refused_before_anything_runs(tmp_path: Path, kind: str) -> None:
    columns = [{"name": "temperature", "type": kind}]
    folder = save_foreign(tmp_path / "m", load="raise SystemExit('ran')", signature=json.dumps(columns))
    with pytest.raises(BadInput, match=f"wants 'temperature' as {kind}, which no reading can be cast to"):
        ask(folder)


def test_a_signature_of_whole_numbers_is_given_an_array_of_them(tmp_path: Path) -> None:
    tensor = [{"type": "tensor", "tensor-spec": {"dtype": "int16", "shape": [-1, 48, 2]}}]
    checks = "assert frame.dtype == np.int16; return frame[:, -12:]"
    folder = save_foreign(tmp_path / "m", checks, signature=json.dumps(tensor))
    assert ask(folder)[0, -1].tolist() == [47.0, 147.0]


def test_a_model_whose_code_is_named_by_where_it_was_is_found_in_its_folder(tmp_path: Path) -> None:
    """As MLflow itself writes it for a model from code."""
    script = tmp_path / "elsewhere" / "model.py"
    script.parent.mkdir()
    script.write_text(
        "import mlflow.pyfunc\n\n"
        "class Held(mlflow.pyfunc.PythonModel):\n"
        "    def predict(self, context, model_input, params=None):\n"
        "        return model_input.tail(12).to_numpy()\n\n"
        "mlflow.models.set_model(Held())\n"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow.pyfunc

        mlflow.pyfunc.save_model(tmp_path / "m", python_model=str(script), pip_requirements=[])
    description = tmp_path / "m" / "MLmodel"
    assert f"model_code_path: {script}" in description.read_text()
    script.unlink()
    assert ask(tmp_path / "m")[0, -1].tolist() == [47.0, 147.0]
    (tmp_path / "m" / "model.py").rename(tmp_path / "m" / "other.py")
    with pytest.raises(BadInput, match=r"the model's code 'model\.py' is not in its folder") as caught:
        ask(tmp_path / "m")
    assert "copy it there" in caught.value.fix


@pytest.mark.parametrize(
    ("predict", "says"),
    [
        ("return np.zeros((3, 2))", r"shape \(3, 2\), not \(12, 2\)"),
        ("return np.full((12, 2), np.nan)", "forecast of temperature has 24 values that are no numbers"),
        ("return pd.DataFrame({'temperature': [1.0] * 12})", "forecasts no vibration"),
        ("return pd.DataFrame({n: 1.0 for n in TARGETS}, index=frame.index[:12])", "not for 2025-03-01"),
        ("return 'soon'", "could not forecast: ValueError"),
        ("raise KeyError('weights')", "could not forecast: KeyError: 'weights'"),
        ("os._exit(3)", "crashed with exit code 3"),
        ("os.kill(os.getpid(), 11)", "crashed with signal SIGSEGV"),
        ("os._exit(0)", "ended without a forecast"),
    ],
)
def test_what_is_no_forecast_is_said(tmp_path: Path, predict: str, says: str) -> None:
    with pytest.raises(ForeignModelFailed, match=says) as caught:
        ask(save_foreign(tmp_path / "m", predict))
    assert "m:1" in str(caught.value)
    assert caught.value.fix


LEAK = "hoard = []\nwhile True:\n    hoard.append(np.ones(10_000_000))"
LEAKING_CHILDREN = """
import subprocess
for _ in range(4):
    subprocess.Popen([sys.executable, "-c", "x = bytearray(b'1') * 300_000_000; import time; time.sleep(30)"])
time.sleep(30)
"""


@pytest.mark.parametrize("leak", [LEAK, LEAKING_CHILDREN], ids=["itself", "children"])
def test_a_model_that_takes_too_much_memory_is_stopped(tmp_path: Path, leak: str) -> None:
    limits = ForeignLimits(memory=768 * 2**20, time=timedelta(seconds=50))
    with pytest.raises(ForeignModelFailed, match=r"m:1 wanted more than 768MiB of memory") as caught:
        ask(save_foreign(tmp_path / "m", leak), limits)
    assert "foreign_models: {memory: …}" in caught.value.fix


def test_a_model_that_hangs_is_stopped_with_its_children(tmp_path: Path) -> None:
    marker = f"foreign-child-of-{os.getpid()}"
    hang = f"""
        import subprocess
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "{marker}"])
        time.sleep(600)
    """
    started = time.monotonic()
    with pytest.raises(ForeignModelFailed, match=r"m:1 did not answer within 8s") as caught:
        ask(save_foreign(tmp_path / "m", hang), ForeignLimits(time=timedelta(seconds=8)))
    assert time.monotonic() - started < 20
    assert "foreign_models: {time: …}" in caught.value.fix
    assert not alive(marker)


def test_a_model_sees_no_secret_and_changes_no_file_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEETCAST_DATABASE_URL", "postgresql://ada:secret@db/fleet")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    spy = """
        assert "secret" not in "".join(os.environ.values()), "leaked"
        assert not any(name.startswith(("FLEETCAST", "AWS", "PYTHON")) for name in os.environ), "leaked"
        open(sys.modules["foreign_m"].__file__, "a").write("# changed")
        return np.zeros((12, 2))
    """
    folder = save_foreign(tmp_path / "m", spy)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert ask(folder).any() == False  # noqa: E712
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_signature_with_a_column_that_is_no_feature_is_refused_before_anything_runs(tmp_path: Path) -> None:
    columns = [{"name": "temprature", "type": "double"}]
    folder = save_foreign(tmp_path / "m", load="raise SystemExit('ran')", signature=json.dumps(columns))
    with pytest.raises(BadInput, match="wants a column 'temprature'") as caught:
        ask(folder)
    assert "did you mean 'temperature'?" in caught.value.fix


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("flavors:\n  sklearn: {}\n", "no flavor `python_function`"),
        ("flavors:\n  python_function:\n    data: ../../secrets\n", "MLmodel:3: '../../secrets' leaves"),
        ("flavors:\n  python_function:\n    code: /etc\n", "MLmodel:3: '/etc' leaves"),
        ("flavors:\n  python_function:\n    model_code_path: /elsewhere/gone.py\n", "'gone.py' is not in"),
        ("flavors:\n  python_function:\n    model_code_path: 'C:\\Users\\ada\\MLmodel'\n", "another system"),
        ("flavors: [\n", "YAML"),
        (
            "flavors:\n  python_function: {a: b}\nsignature:\n  inputs: '[{'\n",
            "MLmodel:4: the signature cannot be read",
        ),
        ("flavors:\n  python_function: {a: b}\nmetadata: {lookback: many}\n", "not a number of steps"),
    ],
)
def test_a_description_that_is_wrong_or_leaves_its_folder_is_refused(
    tmp_path: Path, content: str, says: str
) -> None:
    (tmp_path / "MLmodel").write_text(content)
    with pytest.raises(BadInput, match=says.replace("[", r"\[")):
        ProcessForeignModels().describe(tmp_path)


def test_limits_that_cannot_work_are_refused() -> None:
    with pytest.raises(BadInput, match="memory 64MiB is out of range"):
        ForeignLimits(memory=64 * 2**20)
    with pytest.raises(BadInput, match=r"time .* is out of range"):
        ForeignLimits(time=timedelta(0))
