"""KServe's REST client, as its users call it."""

import logging

import numpy as np
from cases import b64, case, given, run, samples
from kserve import InferenceRESTClient, InferInput, InferRequest
from kserve.inference_client import RESTConfig
from kserve.protocol.infer_type import RequestedOutput

logging.disable(logging.ERROR)
HEADERS = {"Authorization": f"Bearer {given['key']}"}
URL = given["httpUrl"]


def v2():
    return InferenceRESTClient(RESTConfig(protocol="v2", timeout=20))


def v1():
    return InferenceRESTClient(RESTConfig(protocol="v1", timeout=20))


def digits(pixels, binary, binary_out=None):
    tensor = InferInput("image", list(pixels.shape), "FP32")
    tensor.set_data_from_numpy(pixels, binary_data=binary)
    outputs = None
    if binary_out is not None:
        outputs = [RequestedOutput(name, {"binary_data": binary_out}) for name in ("probabilities", "label")]
    return InferRequest("digits", [tensor], request_id="mine", request_outputs=outputs)


def told(answer):
    outputs = {output.name: b64(output.as_numpy()) for output in answer.outputs}
    return {"id": answer.id, "model": answer.model_name, "version": answer.model_version, "outputs": outputs}


async def each(binary, binary_out=None):
    async with v2() as client:
        requests = [digits(pixels[np.newaxis], binary, binary_out) for pixels in samples()]
        return [told(await client.infer(URL, request, "digits", dict(HEADERS))) for request in requests]


@case
async def server_live():
    async with v2() as client:
        return await client.is_server_live(URL)


@case
async def server_ready():
    async with v2() as client:
        return await client.is_server_ready(URL)


@case
async def model_ready():
    async with v2() as client:
        return await client.is_model_ready(URL, "digits", HEADERS)


@case
async def model_ready_unknown():
    async with v2() as client:
        return await client.is_model_ready(URL, "nothing", HEADERS)


@case
async def infer_json():
    return await each(False)


@case
async def infer_dict():
    body = {"inputs": [{"name": "image", "datatype": "FP32", "shape": [1, 28, 28], "data": samples()[:1].tolist()}]}
    async with v2() as client:
        return told(await client.infer(URL, body, "digits", HEADERS))


@case
async def infer_text():
    tensor = InferInput("text", [1], "BYTES", data=[given["text"]])
    async with v2() as client:
        return told(await client.infer(URL, InferRequest("spam", [tensor]), "spam", dict(HEADERS)))


@case
async def unknown_model():
    async with v2() as client:
        await client.infer(URL, digits(samples()[:1], False), "nothing", dict(HEADERS))


@case
async def no_key():
    async with v2() as client:
        await client.infer(URL, digits(samples()[:1], False), "digits")


@case
async def infer_binary():
    return await each(True, True)


@case
async def infer_binary_to_json():
    return await each(True)


@case
async def v1_predict():
    async with v1() as client:
        return await client.infer(URL, {"instances": samples().tolist()}, "digits", HEADERS)


@case
async def v1_explain():
    async with v1() as client:
        return await client.explain(URL, "explained", {"instances": [[1.5, 2.5], [3.5, 4.5]]}, HEADERS)


@case
async def v1_explain_nothing():
    async with v1() as client:
        await client.explain(URL, "digits", {"instances": samples().tolist()}, HEADERS)


@case
async def v1_model_ready():
    async with v1() as client:
        return await client.is_model_ready(URL, "digits", HEADERS)


@case
async def v1_unknown_model():
    async with v1() as client:
        await client.infer(URL, {"instances": [[1.0]]}, "nothing", HEADERS)


run()
