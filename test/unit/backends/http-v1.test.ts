import { afterEach, describe, expect, it } from 'vitest';
import { HttpBackend } from '../../../src/backends/http/http-backend.ts';
import { backend as backendSchema, type HttpBackendConfig } from '../../../src/config/model-schema.ts';
import type { CallOptions } from '../../../src/core/backend.ts';
import { joinByteStrings } from '../../../src/core/byte-strings.ts';
import { SystemClock } from '../../../src/core/clock.ts';
import { explanationJson } from '../../../src/core/explanation.ts';
import { Fault, GatewayError } from '../../../src/core/faults.ts';
import type { InferenceRequest, Tensor } from '../../../src/core/inference.ts';
import { backendContract } from '../../support/contracts/backend-contract.ts';
import { startOipHttpServer } from '../../support/oip-http-server.ts';
import { RecordingSink } from '../../support/recording-sink.ts';
import {
  answer,
  answerJson,
  answerNever,
  type HttpScript,
  type ScriptedHttpServer,
  type SeenRequest,
  startScriptedHttpServer,
} from '../../support/scripted-http-server.ts';

/** TensorFlow Serving's REST API as far as its documents show it. */

const OPTIONS: CallOptions = { timeoutMs: 10_000, traceparent: '', tracestate: '', requestId: 'r-1', affinity: 0, avoid: '' };

const tensorInfo = (dtype: string, ...sizes: number[]): object => ({
  dtype,
  tensor_shape: { dim: sizes.map((size) => ({ size: String(size), name: '' })), unknown_rank: false },
  name: 'StatefulPartitionedCall:0',
});

const metadataOf = (signatures: object): object => ({
  model_spec: { name: 'm', signature_name: '', version: '1' },
  metadata: { signature_def: { signature_def: { __saved_model_init_op: { inputs: {}, outputs: {} }, ...signatures } } },
});

const ONE = metadataOf({
  serving_default: {
    inputs: { x: tensorInfo('DT_INT32', -1, 2) },
    outputs: { y: tensorInfo('DT_INT32', -1, 2) },
    method_name: 'tensorflow/serving/predict',
  },
});

const MANY = metadataOf({
  other: {
    inputs: { text: tensorInfo('DT_STRING', -1), wide: tensorInfo('DT_INT64', -1), flag: tensorInfo('DT_BOOL') },
    outputs: { text: tensorInfo('DT_STRING', -1), wide: tensorInfo('DT_INT64', -1), score: tensorInfo('DT_FLOAT', -1, 1) },
  },
});

const opened: { close(): Promise<unknown> }[] = [];

afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) await thing.close();
});

async function serve(metadata: HttpScript, onPredict: (request: SeenRequest) => HttpScript): Promise<ScriptedHttpServer> {
  const server = await startScriptedHttpServer({
    onRequest: (request) => {
      if (request.path.endsWith('/metadata') && request.path.startsWith('/v1/models/m/')) return metadata;
      if (/:(predict|explain)$/.test(request.path)) return onPredict(request);
      if (request.path === '/v1/models/m') {
        return answerJson({ model_version_status: [{ version: '1', state: 'AVAILABLE', status: { error_code: 'OK' } }] });
      }
      return answer(404, 'Not Found');
    },
  });
  opened.push(server);
  return server;
}

function make({ url, ...config }: Partial<HttpBackendConfig> & { url: string }): HttpBackend {
  const parsed = backendSchema.parse({ kind: 'http', endpoints: [url], protocol: 'v1', ...config }) as HttpBackendConfig;
  const backend = new HttpBackend(parsed, {
    endpoint: { name: url, ip: '' },
    model: 'm',
    credential: null,
    tls: null,
    clock: new SystemClock(),
  });
  opened.push(backend);
  return backend;
}

function requestOf(inputs: Tensor[], fields: Partial<InferenceRequest> = {}): InferenceRequest {
  return {
    task: 'predict',
    model: 'public',
    version: '',
    id: 'i',
    params: new Map(),
    inputs,
    wanted: [],
    timeoutUs: 0,
    sequenceId: '',
    ...fields,
  };
}

const int32 = (name: string, shape: number[], ...values: number[]): Tensor => ({
  name,
  datatype: 'INT32',
  shape,
  data: Buffer.from(Int32Array.from(values).buffer),
});

async function call(backend: HttpBackend, request: InferenceRequest): Promise<RecordingSink> {
  const sink = new RecordingSink();
  backend.open(request, OPTIONS, sink);
  await sink.closed;
  return sink;
}

/** Doubles are written back as they came: `inputs.x` is the bare value of the one output. */
const echoX = (request: SeenRequest): HttpScript => {
  const { inputs } = JSON.parse(request.body.toString()) as { inputs: Record<string, unknown> };
  return 'x' in inputs ? answerJson({ outputs: inputs['x'] }) : answerJson({ error: 'no input x' }, 400);
};

const EXPLANATION = '{"predictions": [1], "explanations": {"name": "saliency", "values": [[0.5, 1e-9]]}}\n';

backendContract('HttpBackend in V1', async () => {
  const server = await startScriptedHttpServer({
    onRequest: (request) => {
      if (request.path.endsWith('/metadata')) return answerJson(ONE);
      if (request.path.endsWith(':explain')) return answer(200, EXPLANATION);
      return request.path.endsWith(':predict') ? echoX(request) : answerJson({ model_version_status: [{ state: 'AVAILABLE' }] });
    },
  });
  return {
    backend: make({ url: server.url }),
    request: (n) => requestOf([int32('x', [1, 2], n, n + 1)]),
    mistake: (n, prediction) => {
      const expected = int32('y', [1, 2], n, n + 1);
      const found = prediction.outputs[0]!;
      return Buffer.from(found.data).equals(expected.data) && found.name === 'y' && String(found.shape) === '1,2'
        ? ''
        : `answer ${n} differs`;
    },
    explanationMistake: ({ outputs }) =>
      outputs.length === 1 && Buffer.from(explanationJson(outputs[0]!)).toString() === EXPLANATION ? '' : 'another explanation',
    misfit: () => requestOf([int32('other', [1, 1], 1)]),
    lost: () => make({ url: 'http://127.0.0.1:1', connectTimeoutMs: 100 }),
    dispose: () => server.close(),
  };
});

describe('HttpBackend in V1', () => {
  it('reads the signature off the metadata', async () => {
    const server = await serve(answerJson(MANY), echoX);
    expect(await make({ url: server.url }).warm()).toEqual({
      platform: 'tensorflow_savedmodel',
      decoupled: false,
      inputs: [
        { name: 'text', datatype: 'BYTES', shape: [-1] },
        { name: 'wide', datatype: 'INT64', shape: [-1] },
        { name: 'flag', datatype: 'BOOL', shape: [] },
      ],
      outputs: [
        { name: 'text', datatype: 'BYTES', shape: [-1] },
        { name: 'wide', datatype: 'INT64', shape: [-1] },
        { name: 'score', datatype: 'FP32', shape: [-1, 1] },
      ],
    });
    expect(server.requests[0]!.path).toBe('/v1/models/m/metadata');
  });

  it('writes inputs in columns under their names, exact and as base64 where they are not UTF-8', async () => {
    const server = await serve(answerJson(MANY), () => answer(200, '{"outputs":{"text":["a"],"wide":[1],"score":[[0.5]]}}'));
    const backend = make({ url: server.url, version: '3' });
    await backend.warm();
    await call(
      backend,
      requestOf([
        { name: 'text', datatype: 'BYTES', shape: [2], data: joinByteStrings([Buffer.from('hé'), Buffer.from([0xff, 0])]) },
        { name: 'wide', datatype: 'INT64', shape: [2], data: Buffer.from(new BigInt64Array([2n ** 62n + 1n, -5n]).buffer) },
        { name: 'flag', datatype: 'BOOL', shape: [], data: Buffer.from([1]) },
      ]),
    );
    const seen = server.requests.at(-1)!;
    expect(seen.path).toBe('/v1/models/m/versions/3:predict');
    expect(seen.body.toString()).toBe(
      '{"signature_name":"other","inputs":{"text":["hé",{"b64":"/wA="}],"wide":[4611686018427387905,-5],"flag":true}}',
    );
  });

  it('reads several outputs, and leaves out those that nobody wants', async () => {
    const body = '{"outputs":{"wide":[9007199254740993,1],"text":[{"b64":"/w=="},"b"],"score":[[0.5],[NaN]]}}';
    const server = await serve(answerJson(MANY), () => answer(200, body));
    const backend = make({ url: server.url });
    await backend.warm();
    const all = (await call(backend, requestOf([]))).prediction!.outputs;
    expect(all.map(({ name, datatype, shape }) => [name, datatype, shape])).toEqual([
      ['wide', 'INT64', [2]],
      ['text', 'BYTES', [2]],
      ['score', 'FP32', [2, 1]],
    ]);
    expect(Buffer.from(all[0]!.data).readBigInt64LE(0)).toBe(2n ** 53n + 1n);
    expect([...all[1]!.data]).toEqual([1, 0, 0, 0, 0xff, 1, 0, 0, 0, 98]);
    const some = (await call(backend, requestOf([], { wanted: ['score'] }))).prediction!.outputs;
    expect(some.map(({ name }) => name)).toEqual(['score']);
  });

  it.each([
    ['no outputs', '{"predictions":[[1,2]]}', /"outputs" is missing/],
    ['rows of different length', '{"outputs":[[1,2],[3]]}', /does not nest/],
    ['words for numbers', '{"outputs":[["a","b"]]}', /is a string/],
    ['an output that the signature does not have', '{"outputs":{"z":[[1,2]]}}', /"z" does not exist/],
    ['an output twice', '{"outputs":{"y":[[1,2]],"y":[[1,2]]}}', /comes twice/],
    ['half an answer', '{"outputs":[[1,2]', /./],
    ['garbage', '<html>', /expected an object/],
  ])('calls an answer with %s a lie', async (_what, body, detail) => {
    const server = await serve(answerJson(ONE), () => answer(200, body));
    const backend = make({ url: server.url });
    await backend.warm();
    const sink = await call(backend, requestOf([int32('x', [1, 2], 1, 2)]));
    expect(sink.events).toEqual(['fault BACKEND_LIED', 'closed']);
    expect(sink.detail).toMatch(detail);
  });

  it('notes why the server refuses, and tells it when a call is cancelled', async () => {
    const refusing = await serve(answerJson(ONE), () => answerJson({ error: 'Tensor name: x has inconsistent batch size' }, 400));
    const backend = make({ url: refusing.url });
    await backend.warm();
    expect(await call(backend, requestOf([]))).toMatchObject({
      fault: Fault.BackendRefused,
      detail: 'Tensor name: x has inconsistent batch size',
    });
    const hanging = await serve(answerJson(ONE), () => answerNever);
    const other = make({ url: hanging.url });
    await other.warm();
    const sink = new RecordingSink();
    const cancelled = other.open(requestOf([]), OPTIONS, sink);
    await hanging.called(1, ':predict');
    cancelled.cancel();
    await hanging.cancelled(1);
  });

  it.each([
    ['no signature', metadataOf({}), /found 0 signatures/],
    ['two and no default', metadataOf({ a: {}, b: {} }), /found 2 signatures, expected serving_default/],
    [
      'an unknown rank',
      metadataOf({ a: { inputs: { x: { dtype: 'DT_FLOAT', tensor_shape: { unknown_rank: true } } } } }),
      /rank is unknown/,
    ],
    ['16-bit floats', metadataOf({ a: { inputs: { x: tensorInfo('DT_HALF', 1) } } }), /DT_HALF/],
    ['another shape of JSON', { metadata: [] }, /found no signature_def/],
  ])('refuses metadata with %s', async (_what, metadata, detail) => {
    const error = await failureOf(make({ url: (await serve(answerJson(metadata), echoX)).url }));
    expect(error.kind).toBe(Fault.BackendLied);
    expect(error.message).toMatch(detail);
  });

  it('says what a server without metadata lacks', async () => {
    const server = await serve(answer(404), echoX);
    const error = await failureOf(make({ url: server.url }));
    expect(error.kind).toBe(Fault.BackendFailed);
    expect(error.message).toMatch(/answered V1 404 .*"m".*servers that tell a signature/);
  });

  it.each([
    ['TensorFlow Serving, some version of it', { model_version_status: [{ state: 'END' }, { state: 'AVAILABLE' }] }, true],
    ['TensorFlow Serving while it loads', { model_version_status: [{ state: 'LOADING' }] }, false],
    ['KServe', { name: 'm', ready: true }, true],
    ['KServe while it loads', { name: 'm', ready: false }, false],
    ['something else', [], false],
  ])('asks %s whether it is ready', async (_who, state, ready) => {
    const server = await startScriptedHttpServer({
      onRequest: (request) => answerJson(request.path.endsWith('/metadata') ? ONE : state),
    });
    opened.push(server);
    const backend = make({ url: server.url });
    await backend.warm();
    expect(await backend.probe(2_000)).toBe(ready);
  });
});

describe('HttpBackend in V1, asked to explain', () => {
  const explain = (inputs: Tensor[]): InferenceRequest => requestOf(inputs, { task: 'explain' });
  const warmed = async (script: HttpScript, metadata = ONE, config: Partial<HttpBackendConfig> = {}) => {
    const server = await serve(answerJson(metadata), () => script);
    const backend = make({ url: server.url, ...config });
    await backend.warm();
    return { server, backend };
  };

  it('hands on the JSON of the server byte for byte', async () => {
    const { server, backend } = await warmed(answer(200, EXPLANATION));
    const sink = await call(backend, explain([int32('x', [2, 2], 1, 2, 3, 4)]));
    expect(sink.prediction!.outputs).toMatchObject([{ name: 'explanation', datatype: 'BYTES', shape: [1] }]);
    expect(Buffer.from(explanationJson(sink.prediction!.outputs[0]!)).toString()).toBe(EXPLANATION);
    const seen = server.requests.at(-1)!;
    expect([seen.path, seen.body.toString()]).toEqual(['/v1/models/m:explain', '{"instances":[[1,2],[3,4]]}']);
  });

  it('writes rows of named inputs, and columns where the inputs have no rows in common', async () => {
    const { server, backend } = await warmed(answer(200, '{}'), MANY, { version: '3' });
    const text: Tensor = {
      name: 'text',
      datatype: 'BYTES',
      shape: [2],
      data: joinByteStrings([Buffer.from('hé'), Buffer.from([0xff, 0])]),
    };
    const wide: Tensor = {
      ...text,
      name: 'wide',
      datatype: 'INT64',
      data: Buffer.from(new BigInt64Array([1n, 2n ** 62n]).buffer),
    };
    await call(backend, explain([text, wide]));
    expect(server.requests.at(-1)!.path).toBe('/v1/models/m/versions/3:explain');
    expect(server.requests.at(-1)!.body.toString()).toBe(
      '{"instances":[{"text":"hé","wide":1},{"text":{"b64":"/wA="},"wide":4611686018427387904}]}',
    );
    await call(backend, explain([text, { name: 'flag', datatype: 'BOOL', shape: [], data: Buffer.from([1]) }]));
    expect(server.requests.at(-1)!.body.toString()).toBe('{"inputs":{"text":["hé",{"b64":"/wA="}],"flag":true}}');
  });

  it.each([
    ['no object', '[{"explanations":1}]', /expected an object/],
    ['half of one', '{"explanations":[', /the end/],
    ['more than one', '{}{}', /expected nothing more/],
    ['a bare NaN', '{"explanations":NaN}', /expected a value/],
    ['bytes that are no UTF-8', Buffer.from('{"a":"\xff"}', 'latin1'), /not UTF-8/],
    ['too many brackets', `{"a":${'['.repeat(32)}${']'.repeat(32)}}`, /deeper than 32/],
    ['half a surrogate pair', '{"a":"\\ud800"}', /surrogate/],
    ['nothing', '', /expected an object/],
  ])('calls %s a lie', async (_what, body, detail) => {
    const { backend } = await warmed(answer(200, body));
    const sink = await call(backend, explain([int32('x', [1, 2], 1, 2)]));
    expect(sink.events).toEqual(['fault BACKEND_LIED', 'closed']);
    expect(sink.detail).toMatch(detail);
  });

  it('takes no more JSON than maxJsonBytes', async () => {
    const { backend } = await warmed(answer(200, `{"a":"${'x'.repeat(100)}"}`), ONE, { maxJsonBytes: 100 });
    const sink = await call(backend, explain([int32('x', [1, 2], 1, 2)]));
    expect(sink).toMatchObject({ fault: Fault.BackendFailed, detail: expect.stringContaining('maxJsonBytes') });
  });

  it.each([
    ['404', answer(404, 'Not Found')],
    ['405', answer(405)],
    ['501, as KServe does', answerJson({ error: 'Not Implemented' }, 501)],
    ['400, as TensorFlow Serving does', answerJson({ error: 'Malformed request: POST /v1/models/m:explain' }, 400)],
  ])('says that the server explains nothing when it answers %s', async (_what, script) => {
    const { backend } = await warmed(script);
    const sink = await call(backend, explain([int32('x', [1, 2], 1, 2)]));
    expect(sink).toMatchObject({ fault: Fault.NotSupported, detail: expect.stringContaining('ask :predict'), reached: true });
  });

  it.each([
    ['400', answerJson({ error: 'instances: too few' }, 400), Fault.BackendRefused],
    ['500', answer(500), Fault.BackendFailed],
    ['503', answer(503), Fault.BackendUnreachable],
    ['429', answer(429), Fault.BackendBusy],
  ])('tells %s of an explainer as it tells that of a model', async (_what, script, fault) => {
    const { backend } = await warmed(script);
    expect(await call(backend, explain([int32('x', [1, 2], 1, 2)]))).toMatchObject({ fault });
  });

  it('does not take 404 of a prediction for something that is not supported', async () => {
    const { backend } = await warmed(answer(404));
    expect(await call(backend, requestOf([int32('x', [1, 2], 1, 2)]))).toMatchObject({ fault: Fault.BackendFailed });
  });
});

describe('HttpBackend, protocol auto', () => {
  it('prefers OIP', async () => {
    const server = await startOipHttpServer({
      models: [
        {
          name: 'm',
          inputs: [{ name: 'x', datatype: 'INT32', shape: [-1] }],
          outputs: [{ name: 'y', datatype: 'INT32', shape: [-1] }],
        },
      ],
    });
    opened.push(server);
    const backend = make({ url: server.url, protocol: 'auto' });
    await backend.warm();
    expect((await call(backend, requestOf([int32('x', [1], 4)]))).events).toEqual(['prediction', 'end', 'closed']);
    expect(server.requests.some(({ path }) => path.startsWith('/v1'))).toBe(false);
  });

  it('takes V1 where there is no OIP', async () => {
    const server = await serve(answerJson(ONE), echoX);
    const backend = make({ url: server.url, protocol: 'auto' });
    expect((await backend.warm()).platform).toBe('tensorflow_savedmodel');
    expect((await call(backend, requestOf([int32('x', [1, 2], 4, 5)]))).events).toEqual(['prediction', 'end', 'closed']);
  });

  it('says what both have answered when neither is there', async () => {
    const server = await serve(answer(501), echoX);
    expect((await failureOf(make({ url: server.url, protocol: 'auto' }))).message).toMatch(/answered OIP 404, and V1 501/);
  });
});

async function failureOf(backend: HttpBackend): Promise<GatewayError> {
  const error = await backend.warm().then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(GatewayError);
  return error as GatewayError;
}
