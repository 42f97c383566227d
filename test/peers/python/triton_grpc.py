"""Triton's gRPC client, as its users call it, and its stubs for what it never sends itself."""

import threading
import time

import numpy as np
import tritonclient.grpc as grpc
import tritonclient.grpc.aio as aio
from cases import b64, case, given, run, samples
from tritonclient.grpc import service_pb2 as pb

HEADERS = {"authorization": f"Bearer {given['key']}"}
client = grpc.InferenceServerClient(given["grpc"])


def image(pixels):
    return [grpc.InferInput("image", list(pixels.shape), "FP32").set_data_from_numpy(pixels)]


def text(words):
    return [grpc.InferInput("text", [len(words)], "BYTES").set_data_from_numpy(np.array(words, dtype=np.object_))]


def wanted(*names):
    return [grpc.InferRequestedOutput(name) for name in names]


def told(result):
    response = result.get_response()
    outputs = {output.name: b64(result.as_numpy(output.name)) for output in response.outputs}
    return {"id": response.id, "model": response.model_name, "version": response.model_version, "outputs": outputs}


def hangs():
    return [grpc.InferInput("x", [1], "FP32").set_data_from_numpy(np.zeros(1, np.float32))]


@case
def server_live():
    return client.is_server_live(headers=HEADERS)


@case
def server_live_without_key():
    return client.is_server_live()


@case
def server_ready():
    return client.is_server_ready(headers=HEADERS)


@case
def server_metadata():
    return client.get_server_metadata(headers=HEADERS, as_json=True)


@case
def model_ready():
    return client.is_model_ready("digits", "v1", headers=HEADERS)


@case
def model_ready_unknown():
    return client.is_model_ready("nothing", headers=HEADERS)


@case
def model_metadata():
    return client.get_model_metadata("digits", headers=HEADERS, as_json=True)


@case
def model_config():
    return client.get_model_config("digits", headers=HEADERS, as_json=True)


@case
def model_statistics():
    return client.get_inference_statistics("digits", headers=HEADERS, as_json=True)


@case
def repository_index():
    return client.get_model_repository_index(headers=HEADERS, as_json=True)


@case
def load_model():
    client.load_model("digits", headers=HEADERS)


@case
def shared_memory_status():
    client.get_system_shared_memory_status(headers=HEADERS)


@case
def trace_settings():
    client.get_trace_settings(headers=HEADERS)


@case
def log_settings():
    client.get_log_settings(headers=HEADERS)


@case
def infer():
    return [
        told(client.infer("digits", image(pixels[np.newaxis]), request_id=f"r{i}", headers=HEADERS))
        for i, pixels in enumerate(samples())
    ]


@case
def infer_one_output():
    return told(client.infer("digits", image(samples()[:1]), outputs=wanted("label"), headers=HEADERS))


@case
def infer_many_rows():
    return told(client.infer("digits", image(samples()), headers=HEADERS))


@case
def infer_text():
    return told(client.infer("spam", text([given["text"]]), headers=HEADERS))


@case
def infer_typed():
    answers = []
    for pixels in samples():
        tensor = pb.ModelInferRequest.InferInputTensor(name="image", datatype="FP32", shape=[1, 28, 28])
        tensor.contents.fp32_contents.extend(pixels.flatten().tolist())
        request = pb.ModelInferRequest(model_name="digits", inputs=[tensor])
        answer = client._client_stub.ModelInfer(request, metadata=tuple(HEADERS.items()))
        answers.append(told(grpc.InferResult(answer)))
    return answers


@case
def infer_with_parameters():
    parameters = {"note": "x", "n": 3, "on": True, "deep": 0.5}
    return told(client.infer("digits", image(samples()[:1]), headers=HEADERS, parameters=parameters, priority=1))


@case
def infer_gzip():
    return told(client.infer("digits", image(samples()), headers=HEADERS, compression_algorithm="gzip"))


@case
def infer_deflate():
    return told(client.infer("digits", image(samples()), headers=HEADERS, compression_algorithm="deflate"))


@case
def infer_async():
    pixels = samples()
    answers = [None] * len(pixels)
    left = threading.Semaphore(0)

    def landed(i):
        def callback(result, error):
            answers[i] = str(error) if error is not None else told(result)
            left.release()

        return callback

    for i, one in enumerate(pixels):
        client.async_infer("digits", image(one[np.newaxis]), landed(i), request_id=f"a{i}", headers=HEADERS)
    for _ in pixels:
        if not left.acquire(timeout=20):
            raise TimeoutError("an answer did not come")
    return answers


@case
async def infer_asyncio():
    async with aio.InferenceServerClient(given["grpc"]) as other:
        return told(await other.infer("digits", image(samples()[:1]), headers=HEADERS))


@case
def infer_with_frequent_pings():
    pings = grpc.KeepAliveOptions(
        keepalive_time_ms=given["pingMs"],
        keepalive_timeout_ms=5_000,
        keepalive_permit_without_calls=True,
        http2_max_pings_without_data=0,
    )
    with grpc.InferenceServerClient(given["grpc"], keepalive_options=pings) as other:
        first = told(other.infer("digits", image(samples()[:1]), headers=HEADERS))
        time.sleep(given["pingMs"] * 6 / 1_000)
        return first == told(other.infer("digits", image(samples()[:1]), headers=HEADERS))


@case
def infer_large():
    rows = np.tile(samples(), (given["largeRows"] // len(samples()), 1, 1))
    return told(client.infer("digits", image(rows), headers=HEADERS))


@case
def client_deadline():
    client.infer("hangs", hangs(), headers=HEADERS, client_timeout=0.2)


@case
def timeout_parameter():
    client.infer("hangs", hangs(), headers=HEADERS, timeout=100_000)


@case
def cancel():
    ended = []
    done = threading.Event()

    def callback(result, error):
        ended.append(error)
        done.set()

    call = client.async_infer("hangs", hangs(), callback, headers=HEADERS)
    time.sleep(0.2)
    call.cancel()
    done.wait(10)
    raise ended[0]


@case
def unknown_model():
    client.infer("nothing", image(samples()[:1]), headers=HEADERS)


@case
def unknown_version():
    client.infer("digits", image(samples()[:1]), "v9", headers=HEADERS)


@case
def wrong_shape():
    client.infer("digits", image(samples()[:1, :27]), headers=HEADERS)


@case
def classification():
    client.infer("digits", image(samples()[:1]), outputs=[grpc.InferRequestedOutput("probabilities", class_count=3)], headers=HEADERS)


@case
def input_in_shared_memory():
    tensor = grpc.InferInput("image", [1, 28, 28], "FP32").set_shared_memory("r", 3136)
    client.infer("digits", [tensor], headers=HEADERS)


@case
def output_in_shared_memory():
    asked = grpc.InferRequestedOutput("label")
    asked.set_shared_memory("r", 8)
    client.infer("digits", image(samples()[:1]), outputs=[asked], headers=HEADERS)


@case
def no_key():
    client.infer("digits", image(samples()[:1]))


@case
def wrong_key():
    client.infer("digits", image(samples()[:1]), headers={"authorization": "Bearer no"})


run()
