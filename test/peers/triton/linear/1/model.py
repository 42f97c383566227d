"""A matrix product, the sum of each row, and an error or a pause on request."""

import time

import numpy as np
import triton_python_backend_utils as pb

WEIGHTS = np.arange(12, dtype=np.float32).reshape(4, 3) / 7
FAIL = -1.0
PAUSE = -2.0


class TritonPythonModel:
    def execute(self, requests):
        return [self._answer(pb.get_input_tensor_by_name(request, "x").as_numpy()) for request in requests]

    def _answer(self, x):
        if x[0, 0] == FAIL:
            return pb.InferenceResponse(error=pb.TritonError("the model refuses this row", pb.TritonError.INVALID_ARG))
        if x[0, 0] == PAUSE:
            time.sleep(3)
        total = x.sum(axis=1, keepdims=True).astype(np.int64)
        return pb.InferenceResponse([pb.Tensor("y", x @ WEIGHTS), pb.Tensor("sum", total)])
