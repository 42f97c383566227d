/** The messages of the soak, by a codec that shares no code with the gateway: read from the .proto file itself. */

import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const PROTO = fileURLToPath(new URL('../../proto/open_inference_grpc.proto', import.meta.url));
const root = protobuf.loadSync(PROTO);
const type = (name: string): protobuf.Type => root.lookupType(`inference.${name}`);
const REQUEST = type('ModelInferRequest');
const RESPONSE = type('ModelInferResponse');
const STREAM_RESPONSE = type('ModelStreamInferResponse');

export const SERVICE = '/inference.GRPCInferenceService';
export const INFER = `${SERVICE}/ModelInfer`;
export const STREAM_INFER = `${SERVICE}/ModelStreamInfer`;

/** Gives back what it gets. */
export const ECHO = 'echo';
/** Decoupled: gives as many answers as its input says. */
export const PARTS = 'parts';

const WORD_BYTES = 4;
const tensor = (name: string, data: Uint8Array): object => ({
  name,
  datatype: 'INT32',
  shape: [1, data.length / WORD_BYTES],
});

export interface Question {
  readonly model: string;
  readonly id: string;
  readonly data: Buffer;
}

export interface Part {
  /** Empty unless it failed. */
  readonly error: string;
  readonly id: string;
  /** Empty for an answer without outputs. */
  readonly data: Buffer;
}

interface RawMessage {
  readonly modelName: string;
  readonly id: string;
  readonly rawInputContents?: readonly Uint8Array[];
  readonly rawOutputContents?: readonly Uint8Array[];
}

/** A tensor that says its mark in each of its words. */
export function marked(mark: number, words: number): Buffer {
  const word = Buffer.alloc(WORD_BYTES);
  word.writeInt32LE(mark);
  return Buffer.alloc(words * WORD_BYTES, word);
}

export function writeQuestion(model: string, id: string, data: Buffer): Buffer {
  return write(REQUEST, { modelName: model, id, inputs: [tensor('x', data)], rawInputContents: [data] });
}

export function readQuestion(bytes: Uint8Array): Question {
  const { modelName, id, rawInputContents } = REQUEST.decode(bytes) as unknown as RawMessage;
  return { model: modelName, id, data: Buffer.from(rawInputContents?.[0] ?? []) };
}

export function writeAnswer({ model, id }: Question, data: Buffer): Buffer {
  return write(RESPONSE, answerOf(model, id, data));
}

/** The tensor of an answer; empty where there is none. */
export function readAnswer(bytes: Uint8Array): Buffer {
  return dataOf(RESPONSE.decode(bytes) as unknown as RawMessage);
}

/** One answer of the decoupled model, or, without data, the news that there are no more. */
export function writePart({ model, id }: Question, data: Buffer | null): Buffer {
  const parameters = { triton_final_response: { boolParam: data === null } };
  const answer = data === null ? { modelName: model, id } : answerOf(model, id, data);
  return write(STREAM_RESPONSE, { inferResponse: { ...answer, parameters } });
}

export function readPart(bytes: Uint8Array): Part {
  const { errorMessage, inferResponse } = STREAM_RESPONSE.decode(bytes) as unknown as {
    errorMessage: string;
    inferResponse: RawMessage | null;
  };
  return {
    error: errorMessage,
    id: inferResponse?.id ?? '',
    data: inferResponse === null ? Buffer.alloc(0) : dataOf(inferResponse),
  };
}

/** What a server of both models says of them; null for methods that it does not have. */
export function describe(path: string, bytes: Uint8Array): Buffer | null {
  const { name } = type('ModelReadyRequest').decode(bytes) as unknown as { name: string };
  const spec = (of: string): object => ({ name: of, datatype: 'INT32', shape: [-1, -1] });
  switch (path) {
    case `${SERVICE}/ModelReady`:
      return write(type('ModelReadyResponse'), { ready: true });
    case `${SERVICE}/ModelMetadata`:
      return write(type('ModelMetadataResponse'), { name, versions: ['1'], inputs: [spec('x')], outputs: [spec('y')] });
    case `${SERVICE}/ModelConfig`:
      return write(type('ModelConfigResponse'), { config: { name, modelTransactionPolicy: { decoupled: name === PARTS } } });
    default:
      return null;
  }
}

const answerOf = (model: string, id: string, data: Buffer): object => ({
  modelName: model,
  id,
  outputs: [tensor('y', data)],
  rawOutputContents: [data],
});

const dataOf = ({ rawOutputContents }: RawMessage): Buffer => Buffer.from(rawOutputContents?.[0] ?? []);

const write = (of: protobuf.Type, value: object): Buffer => Buffer.from(of.encode(value as Record<string, unknown>).finish());
