"""What `mlflow.pyfunc.load_model` calls to bring an artifact to life. The only place that knows pandas."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fleetcast.domain.errors import BadInput
from fleetcast.forecasting.artifact import load
from fleetcast.forecasting.fitted import FittedModel
from fleetcast.forecasting.mlmodel import FORECAST_COLUMNS
from fleetcast.forecasting.series import Series
from fleetcast.stored.plain_folder import read_plain

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]  # stubs would be one more package for this one file


class PyfuncModel:
    """A fitted model that takes and gives pandas frames."""

    def __init__(self, fitted: FittedModel) -> None:
        self._fitted = fitted

    def predict(self, model_input: pd.DataFrame) -> pd.DataFrame:
        """Forecast the steps that follow a history.

        Args:
            model_input: Column `timestamp` (aware, or naive and then taken as UTC; on the model's grid,
                in any order; steps may be missing) and one column for each sensor.

        Returns:
            One row for each coming step and sensor: `timestamp` (aware UTC), `sensor`, `point`, `lower_80`,
            `upper_80`, `lower_95`, `upper_95`.

        Raises:
            BadInput: No rows, a time that is missing, doubled or off the grid, or a sensor that is missing.
        """
        import pandas as pd

        forecast = self._fitted.forecast(self._series(model_input))
        steps, sensors = forecast.point.shape
        times = pd.date_range(forecast.start, periods=steps, freq=pd.Timedelta(forecast.step))
        return pd.DataFrame(
            {"timestamp": times.repeat(sensors), "sensor": list(forecast.sensors) * steps}
            | {name: getattr(forecast, name).ravel() for name in FORECAST_COLUMNS}
        )

    def _series(self, frame: pd.DataFrame) -> Series:
        import pandas as pd

        wanted = ("timestamp", *self._fitted.sensors)
        missing = [name for name in wanted if name not in frame.columns]
        if missing or not len(frame):
            raise BadInput(
                f"no column {', '.join(missing)}" if missing else "the history has no rows",
                fix=f"give a frame with the columns {', '.join(wanted)}",
            )
        times = pd.DatetimeIndex(pd.to_datetime(frame["timestamp"], utc=True))
        if times.hasnans:
            raise BadInput("a row has no timestamp", fix="give every row its time")
        first = times.min()
        step = pd.Timedelta(self._fitted.step)
        offsets = times - first
        rows = np.asarray(offsets // step, dtype=np.int64)
        if (offsets % step != pd.Timedelta(0)).any() or len(np.unique(rows)) < len(rows):
            raise BadInput(
                f"the timestamps are not {self._fitted.step} apart",
                fix="resample to the model's frequency first",
            )
        values = np.full((int(rows.max()) + 1, len(self._fitted.sensors)), np.nan)
        values[rows] = frame[list(self._fitted.sensors)].to_numpy(dtype=np.float64)
        return Series(first.to_pydatetime(), self._fitted.step, self._fitted.sensors, values)


def _load_pyfunc(path: str) -> PyfuncModel:
    return PyfuncModel(load(read_plain(Path(path))))
