"""NannyML's univariate drift as it is: given a folder with one file of readings for each circuit, tells its alarms.

Runs in NannyML's own environment. Chunks are two days, as ours and Evidently's windows are, and a chunk ends at each
look; a circuit is an alarm where any sensor is, as there is no other default.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from nannyml import UnivariateDriftCalculator

warnings.simplefilter("ignore")


def drifted(calculator: UnivariateDriftCalculator, current: pd.DataFrame) -> bool:
    found = calculator.calculate(current).filter(period="analysis").to_df()
    alerts = [column for column in found.columns if column[-1] == "alert"]
    return bool(found[alerts].to_numpy(dtype=bool).any())


folder = Path(sys.argv[1])
started = time.perf_counter()
alarms = []
for file in sorted(folder.glob("*.npz")):
    held = np.load(file)
    columns = [str(name) for name in held["sensors"]]
    calculator = UnivariateDriftCalculator(column_names=columns, chunk_size=48)
    calculator.fit(pd.DataFrame(held["reference"], columns=columns))
    values = pd.DataFrame(held["current"], columns=columns)
    alarms.append([drifted(calculator, values.iloc[end - 48 : end]) for end in held["ends"]])
print(json.dumps({"alarms": alarms, "seconds": time.perf_counter() - started}))
