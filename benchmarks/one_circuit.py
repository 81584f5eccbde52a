"""One circuit, one core: fleetcast next to mlforecast with LightGBM, both with conformal intervals.

    OPENBLAS_NUM_THREADS=1 python benchmarks/one_circuit.py

Six sensors, a year of hours, 168 steps ahead. fleetcast's time includes choosing its settings,
calibrating on 96 origins, testing on 80, and the forecast; mlforecast's is `fit` with
`PredictionIntervals` and `predict`, with the lags of a day, those of a week and calendar features. It
calibrates on 4 windows, of which DESIGN measured that they cover 68 % where 80 % is meant; `--windows
2`, the fewest it takes, is the least it could do. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

for threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[threads] = "1"  # before numpy is imported, or it comes too late

import numpy as np  # noqa: E402 - see above

from fleetcast.forecasting.series import Floats, Series  # noqa: E402 - see above
from fleetcast.forecasting.training import TrainingTask, train  # noqa: E402 - see above

HOURS, SENSORS, HORIZON = 8_760, 6, 168


def circuit(hours: int = HOURS, sensors: int = SENSORS) -> Series:
    """A year with the rhythm of days and weeks, a slow drift and correlated noise."""
    random = np.random.default_rng(7)
    hour = np.arange(hours)
    columns = []
    for number in range(sensors):
        day = np.sin(2 * np.pi * (hour / 24 + random.random())) * (1 + 0.3 * np.sin(2 * np.pi * hour / 168))
        week_end = ((hour // 24) % 7 >= 5) * random.uniform(-6, 6)
        noise = np.zeros(hours)
        shocks = random.normal(size=hours)
        for step in range(1, hours):
            noise[step] = 0.85 * noise[step - 1] + shocks[step]
        columns.append(
            50 + 10 * number + 8 * day + week_end + 1.5 * noise + 3 * np.sin(2 * np.pi * hour / hours)
        )
    names = tuple(f"sensor_{number + 1}" for number in range(sensors))
    return Series(datetime(2025, 1, 1, tzinfo=UTC), timedelta(hours=1), names, np.stack(columns, axis=1))


def seconds(work: Callable[[], object], repeats: int) -> list[float]:
    taken = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    return taken


def ours(series: Series, sharing: str) -> Callable[[], Floats]:
    task = TrainingTask(series.sensors, HORIZON, "linear", {"sharing": sharing})
    return lambda: train(series, task).model.forecast(series).point


def mlforecast_lightgbm(series: Series, windows: int) -> Callable[[], object]:
    import lightgbm
    import pandas as pd  # type: ignore[import-untyped]
    from mlforecast import MLForecast
    from mlforecast.lag_transforms import RollingMean
    from mlforecast.utils import PredictionIntervals

    times = pd.date_range(series.start.replace(tzinfo=None), periods=len(series), freq="h")
    frame = pd.concat(
        pd.DataFrame({"unique_id": name, "ds": times, "y": series.values[:, number]})
        for number, name in enumerate(series.sensors)
    )

    def work() -> object:
        forecaster = MLForecast(
            models={"lgb": lightgbm.LGBMRegressor(n_jobs=1, verbosity=-1)},
            freq="h",
            lags=[*range(1, 25), *range(48, HORIZON + 1, 24)],
            lag_transforms={1: [RollingMean(24)], 24: [RollingMean(168)]},
            date_features=["hour", "dayofweek"],
            num_threads=1,
        )
        forecaster.fit(frame, prediction_intervals=PredictionIntervals(n_windows=windows, h=HORIZON))
        return forecaster.predict(HORIZON, level=[80, 95])

    return work


def main() -> None:
    warnings.simplefilter("ignore")  # the peer's, about its own use of pandas
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    series = circuit()
    result: dict[str, float] = {}
    for sharing in ("auto", "pooled", "per-sensor"):
        work = ours(series, sharing)
        work()
        result[f"fleetcast_{sharing}_ms"] = 1000 * statistics.median(seconds(work, 15))
        print(f"fleetcast linear, sharing {sharing:10} {result[f'fleetcast_{sharing}_ms']:8.1f} ms")
    taken = seconds(mlforecast_lightgbm(series, asked.windows), asked.repeats)
    result["mlforecast_lightgbm_ms"] = 1000 * statistics.median(taken)
    result["ratio"] = result["mlforecast_lightgbm_ms"] / result["fleetcast_auto_ms"]
    print(f"mlforecast + LightGBM, conformal {asked.windows}   {result['mlforecast_lightgbm_ms']:8.1f} ms")
    print(f"ratio to sharing auto                {result['ratio']:8.1f}")
    print(json.dumps({"benchmark": "one_circuit", "windows": asked.windows, **result}))


if __name__ == "__main__":
    main()
