import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

/** The protocol's messages by a codec that shares no code with the one under test: read from the .proto file itself. */

const PROTO = fileURLToPath(new URL('../../proto/open_inference_grpc.proto', import.meta.url));
const root = protobuf.loadSync(PROTO);

/** A tensor as the test server sees it: raw bytes, little-endian and row-major. */
export interface OipTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

export interface OipSpec {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

export interface OipInferRequest {
  readonly model: string;
  readonly version: string;
  readonly id: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly inputs: readonly OipTensor[];
  readonly wanted: readonly string[];
}

interface RawInferRequest {
  modelName: string;
  modelVersion: string;
  id: string;
  parameters: Record<string, Record<string, unknown>>;
  inputs: { name: string; datatype: string; shape: number[] }[];
  outputs: { name: string }[];
  rawInputContents: Uint8Array[];
}

export function readInferRequest(bytes: Uint8Array): OipInferRequest {
  const raw = decode('ModelInferRequest', bytes) as unknown as RawInferRequest;
  const inputs = raw.inputs.map((input, i) => ({ ...input, data: raw.rawInputContents[i] ?? new Uint8Array(0) }));
  const parameters = Object.fromEntries(Object.entries(raw.parameters).map(([name, value]) => [name, Object.values(value)[0]]));
  return {
    model: raw.modelName,
    version: raw.modelVersion,
    id: raw.id,
    parameters,
    inputs,
    wanted: raw.outputs.map((output) => output.name),
  };
}

export function writeInferResponse(model: string, version: string, id: string, outputs: readonly OipTensor[]): Buffer {
  return encode('ModelInferResponse', {
    modelName: model,
    modelVersion: version,
    id,
    outputs: outputs.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
    rawOutputContents: outputs.map((output) => output.data),
  });
}

export function readModelName(bytes: Uint8Array): { name: string; version: string } {
  return decode('ModelReadyRequest', bytes) as unknown as { name: string; version: string };
}

export function writeReady(ready: boolean): Buffer {
  return encode('ModelReadyResponse', { ready });
}

export interface OipMetadata {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: string;
  readonly inputs: readonly OipSpec[];
  readonly outputs: readonly OipSpec[];
}

export function writeModelMetadata(metadata: OipMetadata): Buffer {
  return encode('ModelMetadataResponse', { ...metadata });
}

/** What a server with Triton's model configuration says of a model; everything but the policy is left out. */
export function writeModelConfig(name: string, decoupled: boolean): Buffer {
  return encode('ModelConfigResponse', { config: { name, modelTransactionPolicy: { decoupled } } });
}

/** One answer of a stream. */
export function writeStreamResponse(request: OipInferRequest, outputs: readonly OipTensor[], isFinal: boolean): Buffer {
  return encode('ModelStreamInferResponse', {
    inferResponse: {
      modelName: request.model,
      modelVersion: request.version,
      id: request.id,
      parameters: { triton_final_response: { boolParam: isFinal } },
      outputs: outputs.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
      rawOutputContents: outputs.map((output) => output.data),
    },
  });
}

function encode(type: string, value: Record<string, unknown>): Buffer {
  return Buffer.from(root.lookupType(`inference.${type}`).encode(value).finish());
}

function decode(type: string, bytes: Uint8Array): Record<string, unknown> {
  const message = root.lookupType(`inference.${type}`);
  return message.toObject(message.decode(bytes), { defaults: true, longs: Number });
}
