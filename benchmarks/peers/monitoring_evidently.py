"""Evidently's drift preset as it is: given a folder with one file of readings for each circuit, tells its alarms.

Runs in Evidently's own environment. A look a day compares the last 48 hours with the training readings; a circuit is
an alarm where the preset says that its dataset drifted, which is half of its columns.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset

warnings.simplefilter("ignore")


def drifted(reference: pd.DataFrame, current: pd.DataFrame) -> bool:
    found = Report([DataDriftPreset()]).run(current, reference).dict()
    (share,) = [
        one["value"]["share"] for one in found["metrics"] if "DriftedColumnsCount" in one["metric_name"]
    ]
    return bool(share >= 0.5)


folder = Path(sys.argv[1])
started = time.perf_counter()
alarms = []
for file in sorted(folder.glob("*.npz")):
    held = np.load(file)
    columns = [str(name) for name in held["sensors"]]
    reference = pd.DataFrame(held["reference"], columns=columns)
    values = pd.DataFrame(held["current"], columns=columns)
    alarms.append([drifted(reference, values.iloc[end - 48 : end]) for end in held["ends"]])
print(json.dumps({"alarms": alarms, "seconds": time.perf_counter() - started}))
