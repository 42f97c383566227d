"""A custom runtime with numbers and text on both sides, and errors on request."""

import asyncio

import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.errors import InferenceError
from mlserver.types import InferenceRequest, InferenceResponse


class Sums(MLModel):
    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        tensors = {tensor.name: tensor for tensor in payload.inputs}
        x = NumpyCodec.decode_input(tensors["x"])
        words = StringCodec.decode_input(tensors["text"])
        if words[0] == "refuse":
            raise InferenceError("these words are not for me")
        if words[0] == "fail":
            raise RuntimeError("the runtime has a bug")
        if words[0] == "sleep":
            await asyncio.sleep(20)
        sums = x.sum(axis=1, keepdims=True, dtype=np.float32)
        outputs = [NumpyCodec.encode_output("sum", sums), StringCodec.encode_output("upper", [word.upper() for word in words])]
        return InferenceResponse(model_name=self.name, model_version=self.version, outputs=outputs)
