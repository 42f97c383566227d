"""KServe's gRPC client, as its users call it."""

import logging

import numpy as np
from cases import b64, case, given, run, samples
from kserve import InferenceGRPCClient, InferInput, InferRequest

logging.disable(logging.ERROR)
HEADERS = (("authorization", f"Bearer {given['key']}"),)


def client():
    return InferenceGRPCClient(given["grpc"], timeout=20)


def told(answer):
    outputs = {output.name: b64(output.as_numpy()) for output in answer.outputs}
    return {"id": answer.id, "model": answer.model_name, "version": answer.model_version, "outputs": outputs}


def raw(pixels):
    tensor = InferInput("image", list(pixels.shape), "FP32")
    tensor.set_data_from_numpy(pixels)
    return InferRequest("digits", [tensor], request_id="mine")


def typed(pixels):
    tensor = InferInput("image", list(pixels.shape), "FP32", data=pixels.flatten().tolist())
    return InferRequest("digits", [tensor], request_id="mine")


async def each(made):
    async with client() as one:
        return [told(await one.infer(made(pixels[np.newaxis]), headers=HEADERS)) for pixels in samples()]


@case
async def server_live():
    async with client() as one:
        return await one.is_server_live(headers=HEADERS)


@case
async def server_ready():
    async with client() as one:
        return await one.is_server_ready(headers=HEADERS)


@case
async def model_ready():
    async with client() as one:
        return await one.is_model_ready("digits", headers=HEADERS)


@case
async def model_ready_unknown():
    async with client() as one:
        return await one.is_model_ready("nothing", headers=HEADERS)


@case
async def infer_raw():
    return await each(raw)


@case
async def infer_typed():
    return await each(typed)


@case
async def infer_text():
    tensor = InferInput("text", [1], "BYTES", data=[given["text"].encode()])
    async with client() as one:
        return told(await one.infer(InferRequest("spam", [tensor]), headers=HEADERS))


@case
async def unknown_model():
    async with client() as one:
        request = raw(samples()[:1])
        request.model_name = "nothing"
        await one.infer(request, headers=HEADERS)


@case
async def no_key():
    async with client() as one:
        await one.infer(raw(samples()[:1]))


run()
