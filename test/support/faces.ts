import { Client, credentials, Metadata } from '@grpc/grpc-js';
import type { Datatype } from '../../src/core/datatype.ts';
import { GrpcCaller, grpcType } from './clients.ts';
import { elementsOf, type FaceTensor, faceTensor, jsonValues, nested, parseExactly } from './face-tensor.ts';
import type { GatewayUnderTest } from './gateway-under-test.ts';

/** Every way to ask a gateway for a prediction, each behind the same question and the same answer. */

export interface FaceQuestion {
  readonly model: string;
  readonly id: string;
  readonly inputs: readonly FaceTensor[];
  /** What the model gives, for faces whose answers do not say it. */
  readonly outputs: readonly { readonly name: string; readonly datatype: Datatype; readonly row: readonly number[] }[];
}

export interface FaceAnswer {
  /** By name. */
  readonly outputs: readonly FaceTensor[];
  /** Null where the face has none. */
  readonly id: string | null;
  /** Null where the face does not say. */
  readonly cache: string | null;
}

export interface Face {
  readonly name: string;
  /** Takes models of one input alone. */
  readonly single: boolean;
  ask(gateway: GatewayUnderTest, question: FaceQuestion): Promise<FaceAnswer>;
}

const TENANT = 'alpha';

const sorted = (outputs: readonly FaceTensor[]): FaceTensor[] => [...outputs].sort((a, b) => (a.name < b.name ? -1 : 1));

// ── over HTTP ──

interface HttpReply {
  readonly headers: Headers;
  readonly bytes: Buffer;
}

async function post(
  gateway: GatewayUnderTest,
  path: string,
  body: string | Buffer,
  headers: Record<string, string>,
): Promise<HttpReply> {
  const response = await fetch(gateway.httpUrl + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.keys[TENANT]}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${bytes.toString()}`);
  return { headers: response.headers, bytes };
}

interface JsonOutput {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: number[];
  readonly data?: unknown[];
  readonly parameters?: { readonly binary_data_size: number };
}

const HEAD_LENGTH = 'inference-header-content-length';

/** An answer of the infer route: JSON, with the outputs that are not in it behind it. */
function inferAnswer({ headers, bytes }: HttpReply): FaceAnswer {
  const head = headers.get(HEAD_LENGTH);
  let at = head === null ? bytes.length : Number(head);
  const body = parseExactly(bytes.subarray(0, at).toString());
  const outputs = (body['outputs'] as JsonOutput[]).map(({ name, datatype, shape, data, parameters }) => {
    if (data !== undefined) return faceTensor(name, datatype, shape, data.flat(8));
    const from = at;
    at += parameters!.binary_data_size;
    return { name, datatype, shape, data: Buffer.from(bytes.subarray(from, at)) };
  });
  return { outputs: sorted(outputs), id: (body['id'] as string | undefined) ?? null, cache: headers.get('x-sluice-cache') };
}

const inferPath = ({ model }: FaceQuestion): string => `/v2/models/${model}/infer`;

export const REST_JSON: Face = {
  name: 'REST JSON',
  single: false,
  ask: async (gateway, question) => {
    const inputs = question.inputs.map((input) => ({
      name: input.name,
      datatype: input.datatype,
      shape: input.shape,
      data: jsonValues(input),
    }));
    return inferAnswer(await post(gateway, inferPath(question), JSON.stringify({ id: question.id, inputs }), {}));
  },
};

export const REST_BINARY: Face = {
  name: 'REST binary',
  single: false,
  ask: async (gateway, question) => {
    const inputs = question.inputs.map(({ name, datatype, shape, data }) => ({
      name,
      datatype,
      shape,
      parameters: { binary_data_size: data.length },
    }));
    const head = Buffer.from(JSON.stringify({ id: question.id, parameters: { binary_data_output: true }, inputs }));
    const body = Buffer.concat([head, ...question.inputs.map(({ data }) => data)]);
    const headers = { 'content-type': 'application/octet-stream', [HEAD_LENGTH]: String(head.length) };
    return inferAnswer(await post(gateway, inferPath(question), body, headers));
  },
};

export const REST_RAW: Face = {
  name: 'REST raw',
  single: true,
  ask: async (gateway, question) => {
    const headers = { 'content-type': 'application/octet-stream', [HEAD_LENGTH]: '0' };
    const answer = inferAnswer(await post(gateway, inferPath(question), question.inputs[0]!.data, headers));
    return { ...answer, id: null };
  },
};

const predictPath = ({ model }: FaceQuestion): string => `/v1/models/${model}:predict`;

/** Columns of values as the tensors that the question says they are. */
function columns({ outputs }: FaceQuestion, rows: number, column: (name: string) => unknown): FaceTensor[] {
  return sorted(
    outputs.map(({ name, datatype, row }) => {
      const values = column(name) as unknown[];
      return faceTensor(name, datatype, [rows, ...row], values.flat(8));
    }),
  );
}

export const V1_INSTANCES: Face = {
  name: 'V1 instances',
  single: false,
  ask: async (gateway, question) => {
    const rows = question.inputs[0]!.shape[0]!;
    const named = question.inputs.map((input) => [input.name, nested(jsonValues(input), input.shape) as unknown[]] as const);
    const instances = Array.from({ length: rows }, (_, i) => Object.fromEntries(named.map(([name, of]) => [name, of[i]])));
    const { headers, bytes } = await post(gateway, predictPath(question), JSON.stringify({ instances }), {});
    const predictions = parseExactly(bytes.toString())['predictions'] as unknown[];
    const only = question.outputs.length === 1;
    const outputs = columns(question, rows, (name) =>
      predictions.map((row) => (only ? row : (row as Record<string, unknown>)[name])),
    );
    return { outputs, id: null, cache: headers.get('x-sluice-cache') };
  },
};

export const V1_INPUTS: Face = {
  name: 'V1 inputs',
  single: false,
  ask: async (gateway, question) => {
    const inputs = Object.fromEntries(question.inputs.map((input) => [input.name, nested(jsonValues(input), input.shape)]));
    const { headers, bytes } = await post(gateway, predictPath(question), JSON.stringify({ inputs }), {});
    const found = parseExactly(bytes.toString())['outputs'];
    const only = question.outputs.length === 1;
    const rows = question.inputs[0]!.shape[0]!;
    const outputs = columns(question, rows, (name) => (only ? found : (found as Record<string, unknown>)[name]));
    return { outputs, id: null, cache: headers.get('x-sluice-cache') };
  },
};

// ── over gRPC ──

const CONTENTS: Readonly<Record<string, string>> = {
  BOOL: 'bool_contents',
  UINT8: 'uint_contents',
  UINT16: 'uint_contents',
  UINT32: 'uint_contents',
  UINT64: 'uint64_contents',
  INT8: 'int_contents',
  INT16: 'int_contents',
  INT32: 'int_contents',
  INT64: 'int64_contents',
  FP32: 'fp32_contents',
  FP64: 'fp64_contents',
  BYTES: 'bytes_contents',
};

/** The message as plain objects; 64-bit integers as texts, which the codec reads exactly. */
function inferMessage({ model, id, inputs }: FaceQuestion, form: 'typed' | 'raw'): object {
  const heads = inputs.map(({ name, datatype, shape }) => ({ name, datatype, shape }));
  if (form === 'raw') return { model_name: model, id, inputs: heads, raw_input_contents: inputs.map(({ data }) => data) };
  const typed = inputs.map((input, i) => {
    const values = elementsOf(input).map((value) => (typeof value === 'bigint' ? String(value) : value));
    return { ...heads[i], contents: { [CONTENTS[input.datatype]!]: values } };
  });
  return { model_name: model, id, inputs: typed };
}

interface InferMessage {
  readonly id: string;
  readonly outputs: readonly { readonly name: string; readonly datatype: Datatype; readonly shape: number[] }[];
  readonly raw_output_contents: readonly Uint8Array[];
}

function outputsOf({ outputs, raw_output_contents }: InferMessage): FaceTensor[] {
  return sorted(
    outputs.map(({ name, datatype, shape }, i) => ({ name, datatype, shape, data: Buffer.from(raw_output_contents[i]!) })),
  );
}

function unary(form: 'typed' | 'raw'): Face {
  return {
    name: `gRPC ${form}`,
    single: false,
    ask: async (gateway, question) => {
      const caller = new GrpcCaller(gateway.grpcAddress, gateway.keys[TENANT]!);
      const answer = await caller.call('ModelInfer', inferMessage(question, form));
      caller.close();
      if (answer.code !== 0) throw new Error(`ModelInfer: ${answer.code} ${answer.details}`);
      const message = answer.message as unknown as InferMessage;
      return { outputs: outputsOf(message), id: message.id, cache: String(answer.metadata.get('x-sluice-cache')[0]) };
    },
  };
}

export const GRPC_TYPED: Face = unary('typed');
export const GRPC_RAW: Face = unary('raw');

export const GRPC_STREAM: Face = {
  name: 'gRPC stream',
  single: false,
  ask: (gateway, question) => {
    const client = new Client(gateway.grpcAddress, credentials.createInsecure());
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${gateway.keys[TENANT]}`);
    const asIs = (bytes: Buffer): Buffer => bytes;
    const call = client.makeBidiStreamRequest('/inference.GRPCInferenceService/ModelStreamInfer', asIs, asIs, metadata);
    const requestType = grpcType('ModelInferRequest');
    const responseType = grpcType('ModelStreamInferResponse');
    return new Promise<FaceAnswer>((done, fail) => {
      call.on('error', fail);
      call.on('end', () => fail(new Error('the stream ended without an answer')));
      call.on('data', (bytes: Buffer) => {
        const message = responseType.toObject(responseType.decode(bytes), { longs: Number, defaults: true });
        const { error_message, infer_response } = message as { error_message: string; infer_response: InferMessage };
        if (error_message !== '') fail(new Error(error_message));
        else done({ outputs: outputsOf(infer_response), id: infer_response.id, cache: null });
        call.end();
      });
      call.write(Buffer.from(requestType.encode(requestType.fromObject(inferMessage(question, 'raw'))).finish()));
    }).finally(() => client.close());
  },
};

/** All faces that answer a prediction as tensors. */
export const FACES: readonly Face[] = [
  REST_JSON,
  REST_BINARY,
  REST_RAW,
  V1_INSTANCES,
  V1_INPUTS,
  GRPC_TYPED,
  GRPC_RAW,
  GRPC_STREAM,
];
