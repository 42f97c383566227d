"""Triton's HTTP client, as its users call it."""

import numpy as np
import tritonclient.http as http
import tritonclient.http.aio as aio
from cases import b64, case, given, run, samples

client = http.InferenceServerClient(given["http"], concurrency=8, connection_timeout=10, network_timeout=20)


def key():
    """A new dict each time: the client writes fields of its own into the one it is given, where the next request would send them again."""
    return {"Authorization": f"Bearer {given['key']}"}


def image(pixels, binary):
    tensor = http.InferInput("image", list(pixels.shape), "FP32")
    return [tensor.set_data_from_numpy(pixels, binary_data=binary)]


def text(words, binary):
    tensor = http.InferInput("text", [len(words)], "BYTES")
    return [tensor.set_data_from_numpy(np.array(words, dtype=np.object_), binary_data=binary)]


def wanted(binary, names=("probabilities", "label")):
    return [http.InferRequestedOutput(name, binary_data=binary) for name in names]


def outputs(result):
    return {output["name"]: b64(result.as_numpy(output["name"])) for output in result.get_response()["outputs"]}


def told(result):
    response = result.get_response()
    return {"id": response.get("id"), "model": response["model_name"], "version": response.get("model_version"), "outputs": outputs(result)}


def each(binary_in, asked, **options):
    return [
        told(client.infer("digits", image(pixels[np.newaxis], binary_in), outputs=asked, request_id=f"r{i}", headers=key(), **options))
        for i, pixels in enumerate(samples())
    ]


@case
def server_live():
    return client.is_server_live()


@case
def server_ready():
    return client.is_server_ready()


@case
def server_metadata():
    return client.get_server_metadata(headers=key())


@case
def model_ready():
    return client.is_model_ready("digits", headers=key())


@case
def model_ready_by_version():
    return client.is_model_ready("digits", "v1", headers=key())


@case
def model_ready_unknown():
    return client.is_model_ready("nothing", headers=key())


@case
def model_metadata():
    return client.get_model_metadata("digits", headers=key())


@case
def model_metadata_by_version():
    return client.get_model_metadata("spam", "v1", headers=key())


@case
def model_config():
    return client.get_model_config("digits", headers=key())


@case
def model_statistics():
    return client.get_inference_statistics("digits", headers=key())


@case
def all_statistics():
    return client.get_inference_statistics(headers=key())


@case
def repository_index():
    return client.get_model_repository_index(headers=key())


@case
def load_model():
    return client.load_model("digits", headers=key())


@case
def unload_model():
    return client.unload_model("digits", headers=key())


@case
def shared_memory_status():
    return client.get_system_shared_memory_status(headers=key())


@case
def register_shared_memory():
    return client.register_system_shared_memory("r", "/r", 64, headers=key())


@case
def trace_settings():
    return client.get_trace_settings(headers=key())


@case
def infer_json():
    return each(False, wanted(False))


@case
def infer_json_one_output():
    return told(client.infer("digits", image(samples()[:1], False), outputs=wanted(False, ["label"]), headers=key()))


@case
def infer_json_many_rows():
    return told(client.infer("digits", image(samples(), False), outputs=wanted(False), headers=key()))


@case
def infer_json_text():
    result = client.infer("spam", text([given["text"]], False), outputs=wanted(False, ["probabilities"]), headers=key())
    return told(result)


@case
def infer_by_version():
    return told(client.infer("digits", image(samples()[:1], False), "v1", outputs=wanted(False), headers=key()))


@case
def infer_with_api_key_field():
    fields = {"x-api-key": given["key"]}
    return told(client.infer("digits", image(samples()[:1], False), outputs=wanted(False), headers=fields))


@case
def infer_with_query_and_parameters():
    options = {"query_params": {"trace": "1"}, "parameters": {"note": "x", "n": 3, "deep": 0.5, "on": True}, "priority": 1}
    return told(client.infer("digits", image(samples()[:1], False), outputs=wanted(False), headers=key(), **options))


@case
def infer_async():
    asked = [
        client.async_infer("digits", image(pixels[np.newaxis], False), outputs=wanted(False), request_id=f"a{i}", headers=key())
        for i, pixels in enumerate(samples())
    ]
    return [told(one.get_result(timeout=20)) for one in asked]


@case
async def infer_asyncio():
    async with aio.InferenceServerClient(given["http"]) as other:
        answer = await other.infer("digits", image(samples()[:1], False), outputs=wanted(False), headers=key())
        return [await other.is_server_ready(), told(answer)]


@case
def infer_over_one_connection():
    with http.InferenceServerClient(given["http"], concurrency=1) as other:
        labels = set()
        for _ in range(100):
            answer = other.infer("digits", image(samples()[:1], False), outputs=wanted(False), headers=key())
            labels.add(int(answer.as_numpy("label")[0]))
        return len(labels)


@case
def unknown_model():
    client.infer("nothing", image(samples()[:1], False), outputs=wanted(False), headers=key())


@case
def unknown_output():
    client.infer("digits", image(samples()[:1], False), outputs=wanted(False, ["nothing"]), headers=key())


@case
def wrong_shape():
    client.infer("digits", image(samples()[:1, :27], False), outputs=wanted(False), headers=key())


@case
def no_key():
    client.infer("digits", image(samples()[:1], False), outputs=wanted(False))


@case
def no_key_for_metadata():
    client.get_model_metadata("digits")


@case
def wrong_key():
    client.infer("digits", image(samples()[:1], False), outputs=wanted(False), headers={"Authorization": "Bearer no"})


@case
def infer_binary():
    return each(True, None)


@case
def infer_binary_asked():
    return each(True, wanted(True))


@case
def infer_binary_to_json():
    return each(True, wanted(False))


@case
def infer_json_to_binary():
    return each(False, None)


@case
def infer_binary_text():
    return told(client.infer("spam", text([given["text"]], True), headers=key()))


@case
def infer_binary_many_rows():
    return told(client.infer("digits", image(samples(), True), headers=key()))


@case
def infer_gzip():
    return each(True, None, request_compression_algorithm="gzip", response_compression_algorithm="gzip")


@case
def infer_deflate():
    return each(True, None, request_compression_algorithm="deflate", response_compression_algorithm="deflate")


@case
def infer_json_gzip():
    return each(False, wanted(False), request_compression_algorithm="gzip", response_compression_algorithm="gzip")


@case
def infer_binary_wrong_shape():
    client.infer("digits", image(samples()[:1, :27], True), headers=key())


@case
def infer_binary_async():
    asked = [client.async_infer("digits", image(pixels[np.newaxis], True), headers=key()) for pixels in samples()]
    return [told(one.get_result(timeout=20)) for one in asked]


@case
async def infer_binary_asyncio():
    async with aio.InferenceServerClient(given["http"]) as other:
        return told(await other.infer("digits", image(samples()[:1], True), headers=key()))


@case
def classification():
    asked = [http.InferRequestedOutput("probabilities", binary_data=False, class_count=3)]
    client.infer("digits", image(samples()[:1], False), outputs=asked, headers=key())


@case
def input_in_shared_memory():
    tensor = http.InferInput("image", [1, 28, 28], "FP32").set_shared_memory("r", 3136)
    client.infer("digits", [tensor], outputs=wanted(False), headers=key())


@case
def output_in_shared_memory():
    asked = http.InferRequestedOutput("label", binary_data=False)
    asked.set_shared_memory("r", 8)
    client.infer("digits", image(samples()[:1], False), outputs=[asked], headers=key())


@case
def infer_with_short_timeout():
    tensor = http.InferInput("x", [1], "FP32").set_data_from_numpy(np.zeros(1, np.float32), binary_data=False)
    client.infer("hangs", [tensor], outputs=wanted(False, ["x"]), headers=key(), timeout=100_000)


run()
