"""What runs in a foreign model's own process: one script, nothing of fleetcast in it, nothing to find out.

`python -I -B child.py FOLDER` reads `request.json` and `windows.npy` from FOLDER, loads FOLDER/model with
`mlflow.pyfunc`, and writes `answer.bin`, or `failure.json` with what went wrong.
"""

from __future__ import annotations

import ctypes
import json
import resource
import signal
import sys
from pathlib import Path
from typing import Any

_MOST_WRITTEN = 2**30
"""Bytes in one file that a model may write."""


class Refused(Exception):
    """The model's answer is not a forecast."""


class Unfit(Exception):
    """The readings do not fit into the types that the model's signature names."""


def main(folder: Path) -> None:
    """Answer one request."""
    request = json.loads((folder / "request.json").read_text())
    _confine(request["memory"])
    phase = "load"
    try:
        import mlflow.pyfunc
        import numpy as np

        model = mlflow.pyfunc.load_model(str(folder / "model"))
        phase = "forecast"
        windows = np.load(folder / "windows.npy", allow_pickle=False)
        answers = [
            _points(model.predict(_given(window, first, request)), begin, request)
            for window, first, begin in zip(windows, request["firsts"], request["begins"], strict=True)
        ]
        (folder / "answer.bin").write_bytes(np.stack(answers).astype("<f8").tobytes())
    except MemoryError:
        _fail(folder, "memory", "")
    except Unfit as error:
        _fail(folder, "given", str(error))
    except Refused as error:
        _fail(folder, "answer", str(error))
    except Exception as error:  # noqa: BLE001  # whatever a foreign model raises is said, not thrown
        _fail(folder, phase, f"{type(error).__name__}: {error}"[:2000])


def _confine(memory: int) -> None:
    """Limits that a child of this process inherits, and an end together with the parent."""
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_MOST_WRITTEN, _MOST_WRITTEN))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _fail(folder: Path, phase: str, says: str) -> None:
    (folder / "failure.json").write_text(json.dumps({"phase": phase, "says": says}))


def _given(window: Any, first: int, request: dict[str, Any]) -> Any:
    """The history in the form that the model's signature asks for."""
    import numpy as np
    import pandas as pd  # type: ignore[import-untyped]

    if request["dtype"]:
        return _cast(window[None], np.dtype(request["dtype"]), "a sensor")
    times = pd.date_range(
        pd.Timestamp(first, unit="us", tz="UTC"),
        periods=len(window),
        freq=pd.Timedelta(request["step"], unit="us"),
        name="timestamp",
    )
    frame = pd.DataFrame(window, index=times, columns=request["features"])
    for name, wanted in request["casts"].items():
        if name in frame.columns:
            frame[name] = _cast(frame[name].to_numpy(), np.dtype(wanted), name)
    if request["columns"] is None:
        return frame
    if "timestamp" in request["columns"]:
        frame.insert(0, "timestamp", times if request["zone"] else times.tz_localize(None))
    return frame[[name for name in request["columns"] if name in frame.columns]]


def _cast(values: Any, wanted: Any, name: str) -> Any:
    """Readings as numbers of another type; to whole numbers they are rounded."""
    import numpy as np

    if wanted.kind == "f":
        fits = np.abs(values) <= np.finfo(wanted).max
    elif wanted.kind in "iu":
        values = np.rint(values)
        info = np.iinfo(wanted)
        fits = (values >= float(info.min)) & (values < float(info.max) + 1)
    else:
        fits = (values == 0) | (values == 1)
    if not fits.all():
        raise Unfit(f"the reading {values[~fits].flat[0]:g} of {name} is no {wanted.name}")
    return values.astype(wanted)


def _points(answer: Any, begin: int, request: dict[str, Any]) -> Any:
    """The point forecast in an answer, shape (horizon, targets)."""
    import numpy as np
    import pandas as pd

    targets, horizon = request["targets"], request["horizon"]
    if isinstance(answer, pd.Series):
        answer = answer.to_frame(targets[0]) if len(targets) == 1 else answer
    if isinstance(answer, pd.DataFrame):
        _check_times(answer, begin, request)
        if {"sensor", "point"} <= set(answer.columns):
            answer = answer.pivot(index="timestamp", columns="sensor", values="point")
        missing = [name for name in targets if name not in answer.columns]
        if missing:
            found = ", ".join(map(str, answer.columns))[:300]
            raise Refused(f"it forecasts no {', '.join(missing)}: its answer has the columns {found}")
        answer = answer[targets].to_numpy()
    values = np.asarray(answer, dtype=np.float64)
    if values.ndim == 3 and len(values) == 1:
        values = values[0]
    if values.ndim == 1 and len(targets) == 1:
        values = values[:, None]
    if values.shape != (horizon, len(targets)):
        raise Refused(
            f"its answer has the shape {values.shape}, not ({horizon}, {len(targets)}): steps by targets"
        )
    if not np.isfinite(values).all():
        column = targets[int(np.argmax(~np.isfinite(values).all(axis=0)))]
        raise Refused(
            f"its forecast of {column} has {int((~np.isfinite(values)).sum())} values that are no numbers"
        )
    return values


def _check_times(answer: Any, begin: int, request: dict[str, Any]) -> None:
    """An answer that says its times must say the right ones."""
    import pandas as pd

    if "timestamp" in answer.columns:
        times = pd.DatetimeIndex(pd.to_datetime(answer["timestamp"], utc=True)).unique()
    elif isinstance(answer.index, pd.DatetimeIndex):
        times = answer.index if answer.index.tz is not None else answer.index.tz_localize("UTC")
    else:
        return
    start = pd.Timestamp(begin, unit="us", tz="UTC")
    wanted = pd.date_range(start, periods=request["horizon"], freq=pd.Timedelta(request["step"], unit="us"))
    if not times.equals(wanted.as_unit(times.unit)):
        raise Refused(f"its forecast is for {times[0]} to {times[-1]}, not for {wanted[0]} to {wanted[-1]}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
