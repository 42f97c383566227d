"""A sequence model: the running total of each sequence."""

import numpy as np
import triton_python_backend_utils as pb


class TritonPythonModel:
    def initialize(self, args):
        self._totals = {}

    def execute(self, requests):
        return [self._answer(request) for request in requests]

    def _answer(self, request):
        x, start, sequence = (pb.get_input_tensor_by_name(request, name).as_numpy().item() for name in ("x", "START", "CORRID"))
        self._totals[sequence] = x if start else self._totals[sequence] + x
        return pb.InferenceResponse([pb.Tensor("total", np.array([[self._totals[sequence]]], dtype=np.int32))])
