"""A decoupled model: as many answers as it is asked for."""

import numpy as np
import triton_python_backend_utils as pb


class TritonPythonModel:
    def execute(self, requests):
        for request in requests:
            sender = request.get_response_sender()
            for nth in range(pb.get_input_tensor_by_name(request, "times").as_numpy().item()):
                sender.send(pb.InferenceResponse([pb.Tensor("nth", np.array([nth], dtype=np.int32))]))
            sender.send(flags=pb.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
