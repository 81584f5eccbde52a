"""A model that cannot forecast is not adopted, and one that can is, as MLflow writes it."""

from __future__ import annotations

import json

from tests.foreign_models import save_foreign
from tests.found.story import Story

LONG = "it makes models with MLflow, and adopts each"

CIRCUITS = """\
circuits:
  - plant_id: PLANT001
    circuit_id: CIRCUIT01
    model_name: plant001-circuit01
    features: [temperature, vibration]
    cutoff_date: "2025-01-20"
    delta_version: 0
    training_days: 15
    forecast_horizon: 12h
"""
FLOATS = json.dumps([{"name": name, "type": "float"} for name in ("temperature", "vibration")])
FROM_CODE = """\
flavors:
  python_function:
    env: {}
    loader_module: mlflow.pyfunc.model
    model_code_path: /where/it/was/saved/model.py
    streamable: false
metadata: {lookback: 48}
"""
CODE = """\
import mlflow.pyfunc

class Held(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input.tail(12).to_numpy()

mlflow.models.set_model(Held())
"""


def tell(story: Story) -> None:
    """Three models: one gives no numbers, one wants 32-bit floats, and one is code that names where it was."""
    source = story.folder / "circuits.yaml"
    source.write_text(CIRCUITS)

    save_foreign(story.folder / "numberless" / "plant001-circuit01", "return np.full((12, 2), np.nan)")
    refused = story.fleetcast("adopt", str(source), "--into", "none", "--models", "numberless")
    story.expect("a model without numbers is refused", holds=refused.code == 1, saw=refused.code)
    story.says(refused, "plant001-circuit01", "values that are no numbers")
    story.expect("nothing is written", holds=not (story.folder / "none").exists())

    save_foreign(story.folder / "floats" / "plant001-circuit01", signature=FLOATS)
    adopted = story.fleetcast("adopt", str(source), "--into", "fleet", "--models", "floats")
    story.expect("a model of 32-bit floats is adopted", holds=adopted.code == 0, saw=adopted.code)
    where = ("--fleet", "fleet")
    story.fleetcast("simulate", "--plants", "1", "--circuits", "1", "--length", "30d", *where)
    made = story.fleetcast("forecast", "PLANT001/CIRCUIT01", "--format", "json", *where)
    story.expect("and forecasts", holds=made.code == 0, saw=made.code)

    folder = story.folder / "code" / "plant001-circuit01"
    folder.mkdir(parents=True)
    (folder / "MLmodel").write_text(FROM_CODE)
    (folder / "model.py").write_text(CODE)
    adopted = story.fleetcast("adopt", str(source), "--into", "other", "--models", "code", "--dry-run")
    story.expect("a model from code would be adopted", holds=adopted.code == 0, saw=adopted.text)
