"""200 models as a BentoML service."""

from __future__ import annotations

import bentoml
import numpy as np
from numbers_of_peers import MODELS, Model


@bentoml.service(workers=1)
class Forecasts:
    def __init__(self) -> None:
        self._models = {f"m{number:03d}": Model(number) for number in range(MODELS)}

    @bentoml.api
    def score(self, circuit_id: str, history: list[float]) -> dict[str, list[float]]:
        lines = self._models[circuit_id].forecast(np.array(history))
        names = ("point", "lower_80", "upper_80", "lower_95", "upper_95")
        return dict(zip(names, lines.tolist(), strict=True))
