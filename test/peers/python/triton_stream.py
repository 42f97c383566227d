"""Triton's gRPC client over one stream of requests."""

import queue

import numpy as np
import tritonclient.grpc as grpc
from cases import b64, case, given, run, samples

HEADERS = {"authorization": f"Bearer {given['key']}"}


class Stream:
    """One stream whose answers are taken in the order in which they come."""

    def __init__(self, address, headers=HEADERS):
        self.client = grpc.InferenceServerClient(address)
        self._answers = queue.Queue()
        self.client.start_stream(lambda result, error: self._answers.put((result, error)), headers=headers)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.stop_stream()
        self.client.close()

    def take(self):
        result, error = self._answers.get(timeout=20)
        if error is not None:
            return {"error": error.message(), "status": error.status()}
        response = result.get_response()
        outputs = {output.name: b64(result.as_numpy(output.name)) for output in response.outputs}
        final = response.parameters.get("triton_final_response")
        return {"id": response.id, "outputs": outputs, "final": None if final is None else final.bool_param}


def image(pixels):
    return [grpc.InferInput("image", list(pixels.shape), "FP32").set_data_from_numpy(pixels)]


@case
def many_requests():
    with Stream(given["grpc"]) as stream:
        for i, pixels in enumerate(samples()):
            stream.client.async_stream_infer("digits", image(pixels[np.newaxis]), request_id=f"s{i}")
        return [stream.take() for _ in samples()]


@case
def models_share_a_stream():
    words = grpc.InferInput("text", [1], "BYTES").set_data_from_numpy(np.array([given["text"]], dtype=np.object_))
    with Stream(given["grpc"]) as stream:
        stream.client.async_stream_infer("digits", image(samples()[:1]), request_id="digits")
        stream.client.async_stream_infer("spam", [words], request_id="spam")
        return sorted(stream.take()["id"] for _ in range(2))


@case
def an_error_leaves_the_stream_open():
    with Stream(given["grpc"]) as stream:
        stream.client.async_stream_infer("nothing", image(samples()[:1]), request_id="bad")
        bad = stream.take()
        stream.client.async_stream_infer("digits", image(samples()[:1]), request_id="good")
        return {"bad": bad, "good": stream.take()}


@case
def an_error_as_status_ends_the_stream():
    with Stream(given["grpc"], {**HEADERS, "triton_grpc_error": "true"}) as stream:
        stream.client.async_stream_infer("nothing", image(samples()[:1]), request_id="bad")
        return stream.take()


@case
def final_response_is_marked():
    with Stream(given["grpc"]) as stream:
        stream.client.async_stream_infer("digits", image(samples()[:1]), request_id="f", enable_empty_final_response=True)
        return stream.take()


@case
def no_key():
    with Stream(given["grpc"], {}) as stream:
        stream.client.async_stream_infer("digits", image(samples()[:1]), request_id="bad")
        return stream.take()


run()
