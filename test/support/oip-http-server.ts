import type { OipInferRequest, OipTensor } from './oip-messages.ts';
import type { OipModel } from './oip-server.ts';
import {
  answer,
  answerJson,
  type HttpScript,
  type ScriptedHttpOptions,
  type ScriptedHttpServer,
  type SeenRequest,
  startScriptedHttpServer,
} from './scripted-http-server.ts';

/** A server of the Open Inference Protocol over REST, JSON and binary, that shares no code with the gateway. */

/** One inference as it came in. */
export interface OipHttpCall extends OipInferRequest {
  readonly headers: Readonly<Record<string, string>>;
  /** Inputs came as bytes behind the JSON. */
  readonly binary: boolean;
  /** Outputs are wanted as bytes behind the JSON. */
  readonly wantsBinary: boolean;
}

export interface OipHttpOptions extends Omit<ScriptedHttpOptions, 'onRequest'> {
  readonly models: readonly OipModel[];
  /** Extensions at `/v2`; without it there is no such path. */
  readonly extensions?: readonly string[];
  /** Decides what an inference gets. Without it outputs echo the inputs' bytes in order. */
  readonly onInfer?: (call: OipHttpCall, model: OipModel) => HttpScript | Promise<HttpScript>;
  /** Sent in place of the metadata of every model. */
  readonly metadata?: HttpScript;
  /** What is in front of `/v2`. */
  readonly basePath?: string;
}

export interface OipHttpServer extends ScriptedHttpServer {
  readonly calls: readonly OipHttpCall[];
}

export async function startOipHttpServer(options: OipHttpOptions): Promise<OipHttpServer> {
  const calls: OipHttpCall[] = [];
  const server = await startScriptedHttpServer({ ...options, onRequest: (request) => route(options, calls, request) });
  return Object.assign(server, { calls });
}

/** Each output gets the bytes and the shape of the input at its place, in the form that was asked for. */
export function echo(call: OipHttpCall, model: OipModel): HttpScript {
  const outputs = model.outputs
    .filter((output) => call.wanted.length === 0 || call.wanted.includes(output.name))
    .map((output, i) => ({ ...(call.inputs[i] ?? call.inputs[0]!), name: output.name, datatype: output.datatype }));
  return call.wantsBinary ? binaryOutputs(outputs) : jsonOutputs(outputs);
}

export function jsonOutputs(outputs: readonly OipTensor[]): HttpScript {
  const texts = outputs.map(
    ({ name, datatype, shape, data }) =>
      `{"name":${JSON.stringify(name)},"datatype":"${datatype}","shape":${JSON.stringify(shape)},"data":[${elements(datatype, data)}]}`,
  );
  return answer(200, `{"model_name":"there","outputs":[${texts.join(',')}]}`, { 'content-type': 'application/json' });
}

export function binaryOutputs(outputs: readonly OipTensor[]): HttpScript {
  const json = Buffer.from(
    JSON.stringify({
      model_name: 'there',
      model_version: '1',
      outputs: outputs.map(({ name, datatype, shape, data }) => ({
        name,
        datatype,
        shape,
        parameters: { binary_data_size: data.length },
      })),
    }),
  );
  return answer(200, Buffer.concat([json, ...outputs.map((output) => output.data)]), {
    'content-type': 'application/octet-stream',
    'inference-header-content-length': String(json.length),
  });
}

function route(options: OipHttpOptions, calls: OipHttpCall[], request: SeenRequest): HttpScript | Promise<HttpScript> {
  const path = request.path.slice((options.basePath ?? '').length);
  if (path === '/v2' && options.extensions !== undefined) {
    return answerJson({ name: 'double', version: '1', extensions: options.extensions });
  }
  const match = /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(\/infer|\/ready|)$/.exec(path);
  const model = options.models.find((candidate) => candidate.name === match?.[1]);
  if (match === null || model === undefined) return answerJson({ error: `nothing at ${path}` }, 404);
  if (match[3] === '/ready') return answer(model.ready === false ? 503 : 200);
  if (match[3] === '') {
    const { name, inputs, outputs, platform = 'test' } = model;
    return options.metadata ?? answerJson({ name, versions: ['1'], platform, inputs, outputs });
  }
  const call = readCall(request, model.name, match[2] ?? '');
  calls.push(call);
  return (options.onInfer ?? echo)(call, model);
}

interface JsonRequest {
  readonly id?: string;
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly inputs: readonly {
    readonly name: string;
    readonly datatype: string;
    readonly shape: readonly number[];
    readonly parameters?: { readonly binary_data_size: number };
    readonly data?: readonly unknown[];
  }[];
  readonly outputs?: readonly { readonly name: string; readonly parameters?: { readonly binary_data?: boolean } }[];
}

function readCall(request: SeenRequest, model: string, version: string): OipHttpCall {
  const length = request.headers['inference-header-content-length'];
  const jsonBytes = length === undefined ? request.body.length : Number(length);
  const json = parseExact(request.body.subarray(0, jsonBytes).toString());
  let at = jsonBytes;
  const inputs = json.inputs.map(({ name, datatype, shape, parameters, data }) => {
    if (parameters === undefined) return { name, datatype, shape, data: bytesOf(datatype, data!) };
    const from = at;
    at += parameters.binary_data_size;
    return { name, datatype, shape, data: request.body.subarray(from, at) };
  });
  if (at !== request.body.length) throw new Error(`${request.body.length - at} bytes are left behind the inputs`);
  const { binary_data_output: all = false, ...parameters } = json.parameters ?? {};
  const outputs = json.outputs ?? [];
  return {
    model,
    version,
    id: json.id ?? '',
    parameters,
    inputs,
    wanted: outputs.map((output) => output.name),
    headers: request.headers,
    binary: length !== undefined,
    wantsBinary: outputs.length === 0 ? all === true : outputs.every((output) => output.parameters?.binary_data ?? all === true),
  };
}

/** Whole numbers past 2^53 as bigint. */
function parseExact(text: string): JsonRequest {
  const revive = (_key: string, value: unknown, context?: { source?: string }): unknown =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '')
      ? BigInt(context!.source!)
      : value;
  return JSON.parse(text, revive) as JsonRequest;
}

const VIEWS: Readonly<Record<string, { new (values: never): ArrayBufferView; readonly BYTES_PER_ELEMENT: number }>> = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP32: Float32Array,
  FP64: Float64Array,
};

function bytesOf(datatype: string, data: readonly unknown[]): Buffer {
  const values = data.flat(Number.POSITIVE_INFINITY);
  if (datatype === 'BYTES') {
    return Buffer.concat(
      values.flatMap((value) => {
        const text = Buffer.from(value as string);
        const length = Buffer.alloc(4);
        length.writeUInt32LE(text.length);
        return [length, text];
      }),
    );
  }
  const wide = datatype.endsWith('INT64');
  const array = new VIEWS[datatype]!(values.map((value) => (wide ? BigInt(value as number) : Number(value))) as never);
  return Buffer.from(array.buffer as ArrayBuffer);
}

function elements(datatype: string, data: Uint8Array): string {
  if (datatype === 'BYTES') {
    const texts: string[] = [];
    const bytes = Buffer.from(data);
    for (let at = 0; at < bytes.length; ) {
      const end = at + 4 + bytes.readUInt32LE(at);
      texts.push(JSON.stringify(bytes.toString('utf8', at + 4, end)));
      at = end;
    }
    return texts.join(',');
  }
  const View = VIEWS[datatype]! as unknown as new (buffer: ArrayBuffer) => Iterable<number | bigint>;
  const values = [...new View(new Uint8Array(data).buffer)];
  return values.map((value) => (datatype === 'BOOL' ? String(value === 1) : String(value))).join(',');
}
