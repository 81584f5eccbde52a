"""Accuracy of the linear family on the published ETT protocol, next to published results.

    python benchmarks/ett_accuracy.py DATA        # DATA holds ETTh1.csv and ETTh2.csv

Train 12 months, choose on the next 4, test on the next 4; standardised by the training part; mean over
the seven channels and every test origin of the squared error in standard deviations (Zhou et al. 2021).
A lookback of 512. Published: PatchTST/64 (Nie et al. 2023), DLinear (Zeng et al. 2023). Also the
coverage of the intervals that are calibrated on the 4 months of choosing. The last line is JSON.
"""

from __future__ import annotations

import csv
import json
import sys
import time
from datetime import timedelta
from pathlib import Path

import numpy as np

from fleetcast.forecasting.baseline import candidates
from fleetcast.forecasting.conformal import conformal_offsets
from fleetcast.forecasting.fitted import Units
from fleetcast.forecasting.linear import Linear, LinearModel
from fleetcast.forecasting.model import Problem
from fleetcast.forecasting.series import Floats
from fleetcast.forecasting.split import Split
from fleetcast.forecasting.windows import cut

LOOKBACK = 512
MONTH = 30 * 24
PUBLISHED = {
    ("ETTh1", 96): (0.370, 0.375),
    ("ETTh1", 192): (0.413, 0.405),
    ("ETTh1", 336): (0.422, 0.439),
    ("ETTh2", 96): (0.274, 0.289),
    ("ETTh2", 192): (0.341, 0.383),
    ("ETTh2", 336): (0.329, 0.448),
}


def read(path: Path) -> Floats:
    with path.open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    return np.array([[float(cell) for cell in row[1:]] for row in rows])


def run(values: Floats, horizon: int, sharing: str) -> dict[str, float | str]:
    values = values[: 20 * MONTH]
    standard = Units.of(values[: 12 * MONTH], values).standardise(values)
    tuning = np.arange(12 * MONTH, 16 * MONTH - horizon + 1)
    test = np.arange(16 * MONTH, 20 * MONTH - horizon + 1)
    parts = Split(LOOKBACK, train_end=12 * MONTH, calibration=tuning[::7], test=test)
    hyperparameters: dict[str, str | int | float | bool] = {"lookback": LOOKBACK, "sharing": sharing}
    step = timedelta(hours=1)
    problem = Problem(
        standard, step, horizon, hyperparameters, candidates(standard[: 12 * MONTH], step, horizon)
    )
    started = time.perf_counter()
    fitted = Linear().fit(problem, parts)
    seconds = time.perf_counter() - started
    model = fitted.backtest
    assert isinstance(model, LinearModel)

    def errors(origins: np.typing.NDArray[np.int64]) -> Floats:
        windows = cut(standard, origins - LOOKBACK, LOOKBACK)
        return cut(standard, origins, horizon) - model.point(windows, origins)

    reach = conformal_offsets(errors(tuning))
    tested = errors(test)
    return {
        "mse": float(np.mean(tested**2)),
        "mae": float(np.mean(np.abs(tested))),
        "coverage_80": _inside(tested, reach.lower_80, reach.upper_80),
        "coverage_95": _inside(tested, reach.lower_95, reach.upper_95),
        "fit_s": seconds,
        "chosen": f"{model.choice.sharing} {model.choice.normalisation} {model.choice.ridge:g}",
    }


def _inside(errors: Floats, lower: Floats, upper: Floats) -> float:
    return float(np.mean((errors >= lower[:, None]) & (errors <= upper[:, None])))


def main(folder: Path) -> None:
    results = []
    print(f"{'set':6} {'steps':>5} {'MSE':>6} {'MAE':>6}  {'80 %':>5} {'95 %':>5}  PatchTST  DLinear  chosen")
    for (name, horizon), (patch, dlinear) in PUBLISHED.items():
        found = run(read(folder / f"{name}.csv"), horizon, sharing="pooled")
        print(
            f"{name:6} {horizon:5} {found['mse']:6.3f} {found['mae']:6.3f}  {found['coverage_80']:5.2f} "
            f"{found['coverage_95']:5.2f}  {patch:8.3f} {dlinear:8.3f}  {found['chosen']}"
        )
        results.append({"set": name, "horizon": horizon, **found})
    fitting = sum(float(found["fit_s"]) for found in results)
    print(f"all fits {fitting:.1f} s")
    print(json.dumps({"benchmark": "ett_accuracy", "fit_s": round(fitting, 3), "results": results}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
