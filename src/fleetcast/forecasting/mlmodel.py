"""The files that make an artifact an MLflow model. Written by hand: no clock, no run id, no MLflow needed."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from fleetcast import __version__

LOADER = "fleetcast.forecasting.mlflow_model"
FORECAST_COLUMNS = ("point", "lower_80", "upper_80", "lower_95", "upper_95")
_REQUIREMENTS = (f"fleetcast[mlflow]=={__version__}",)


def mlflow_files(sensors: Sequence[str]) -> dict[str, bytes]:
    """`MLmodel`, `requirements.txt` and `python_env.yaml`, by name.

    Args:
        sensors: The columns that the model expects next to `timestamp`, and forecasts.
    """
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    # MLflow's own `datetime` refuses times with a zone, hence `any`
    inputs = [_column("timestamp", "any"), *(_column(sensor, "double", required=False) for sensor in sensors)]
    outputs = [
        _column("timestamp", "any"),
        _column("sensor", "string"),
        *(_column(name, "double") for name in FORECAST_COLUMNS),
    ]
    lines = (
        "flavors:",
        "  python_function:",
        "    data: .",
        "    env:",
        "      virtualenv: python_env.yaml",
        f"    loader_module: {LOADER}",
        f'    python_version: "{python}"',
        "signature:",
        f"  inputs: {_quoted(inputs)}",
        f"  outputs: {_quoted(outputs)}",
        "",
    )
    environment = (f'python: "{python}"', "dependencies:", "- -r requirements.txt", "")
    return {
        "MLmodel": "\n".join(lines).encode(),
        "requirements.txt": "\n".join((*_REQUIREMENTS, "")).encode(),
        "python_env.yaml": "\n".join(environment).encode(),
    }


def _column(name: str, kind: str, *, required: bool = True) -> dict[str, str | bool]:
    return {"name": name, "type": kind, "required": required}


def _quoted(columns: Sequence[dict[str, str | bool]]) -> str:
    """JSON as one YAML string: a JSON string is a YAML string too."""
    return json.dumps(json.dumps(columns))
