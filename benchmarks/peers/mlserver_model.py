"""One of 200 models as MLServer loads it: its number is the end of its name."""

from __future__ import annotations

from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse
from numbers_of_peers import Model


class Forecasts(MLModel):
    async def load(self) -> bool:
        self._model = Model(int(self.name[-3:]))
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        history = NumpyCodec.decode_input(payload.inputs[0]).ravel()
        lines = self._model.forecast(history)
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("forecast", lines)])
