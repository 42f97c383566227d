import { createServer, type Server as NetServer, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { HttpBackend } from '../../../src/backends/http/http-backend.ts';
import { backend as backendSchema, type HttpBackendConfig } from '../../../src/config/model-schema.ts';
import type { CallOptions } from '../../../src/core/backend.ts';
import { SystemClock } from '../../../src/core/clock.ts';
import { Fault, GatewayError } from '../../../src/core/faults.ts';
import type { InferenceRequest, Prediction } from '../../../src/core/inference.ts';
import { type BackendFixture, backendContract } from '../../support/contracts/backend-contract.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import {
  binaryOutputs,
  echo,
  jsonOutputs,
  type OipHttpOptions,
  type OipHttpServer,
  startOipHttpServer,
} from '../../support/oip-http-server.ts';
import type { OipModel } from '../../support/oip-server.ts';
import { RecordingSink } from '../../support/recording-sink.ts';
import { answer, answerJson, answerNever, cut, type HttpScript } from '../../support/scripted-http-server.ts';
import { TEST_CERTIFICATE, TEST_CERTIFICATE_KEY } from '../../support/test-certificate.ts';

const MODEL: OipModel = {
  name: 'echo',
  platform: 'test_platform',
  inputs: [{ name: 'x', datatype: 'INT32', shape: [-1] }],
  outputs: [{ name: 'y', datatype: 'INT32', shape: [-1] }],
};
const BINARY = ['binary_tensor_data'];
const OPTIONS: CallOptions = { timeoutMs: 10_000, traceparent: '', tracestate: '', requestId: 'r-1', affinity: 0, avoid: '' };

type Config = Partial<HttpBackendConfig> & { readonly url: string; readonly ip?: string };

function make(
  { url, ip = '', ...config }: Config,
  more: { credential?: string; ca?: Buffer; serverName?: string; clock?: FakeClock } = {},
): HttpBackend {
  return new HttpBackend(backendSchema.parse({ kind: 'http', endpoints: [url], ...config }) as HttpBackendConfig, {
    endpoint: { name: url, ip },
    model: 'echo',
    credential: more.credential ?? null,
    tls: more.ca === undefined ? null : { ca: more.ca, cert: null, key: null, serverName: more.serverName ?? null },
    clock: more.clock ?? new SystemClock(),
  });
}

function requestOf(numbers: readonly number[], fields: Partial<InferenceRequest> = {}): InferenceRequest {
  const data = Buffer.from(Int32Array.from(numbers).buffer);
  const inputs = [{ name: 'x', datatype: 'INT32' as const, shape: [numbers.length], data }];
  return {
    task: 'predict',
    model: 'public',
    version: '',
    id: '',
    params: new Map(),
    inputs,
    wanted: [],
    timeoutUs: 0,
    sequenceId: '',
    ...fields,
  };
}

function numbersOf(prediction: Prediction): number[] {
  const bytes = Buffer.from(prediction.outputs[0]!.data);
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readInt32LE(i * 4));
}

function listening(onSocket: (socket: Socket) => void): Promise<NetServer> {
  const server = createServer(onSocket);
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

/** A url that nobody listens on. */
async function deadUrl(): Promise<string> {
  const server = await listening(() => undefined);
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

const opened: { close(): Promise<unknown> }[] = [];

afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) await thing.close();
});

async function serve(options: Partial<OipHttpOptions> = {}): Promise<OipHttpServer> {
  const server = await startOipHttpServer({ models: [MODEL], extensions: BINARY, ...options });
  opened.push(server);
  return server;
}

async function warm(config: Config, more: Parameters<typeof make>[1] = {}): Promise<HttpBackend> {
  const backend = make(config, more);
  opened.push(backend);
  await backend.warm();
  return backend;
}

async function callOnce(
  backend: HttpBackend,
  options: CallOptions = OPTIONS,
  request = requestOf([1, 2, 3]),
): Promise<RecordingSink> {
  const sink = new RecordingSink();
  backend.open(request, options, sink);
  await sink.closed;
  return sink;
}

/** One call to a server that gives this answer. */
async function answered(script: HttpScript, config: Partial<HttpBackendConfig> = {}): Promise<RecordingSink> {
  const server = await serve({ onInfer: () => script });
  return callOnce(await warm({ url: server.url, ...config }));
}

const fixture = (extensions: readonly string[]) => async (): Promise<BackendFixture> => {
  const lost = await deadUrl();
  const server = await startOipHttpServer({
    models: [MODEL],
    extensions,
    onInfer: (call, model) =>
      call.inputs[0]?.name === 'x' ? echo(call, model) : answerJson({ error: 'expected input "x"' }, 400),
  });
  return {
    backend: make({ url: server.url }),
    request: (n) => requestOf([n, n + 1]),
    mistake: (n, prediction) => {
      const found = numbersOf(prediction);
      return found[0] === n && found[1] === n + 1 ? '' : `found ${found}, expected ${n}, ${n + 1}`;
    },
    misfit: () => ({ ...requestOf([1]), inputs: [{ name: 'other', datatype: 'INT32', shape: [1], data: Buffer.alloc(4) }] }),
    lost: () => make({ url: lost, connectTimeoutMs: 100 }),
    dispose: () => server.close(),
  };
};

backendContract('HttpBackend in binary', fixture(BINARY));
backendContract('HttpBackend in JSON', fixture([]));

describe('HttpBackend', () => {
  it('says which address of its name it is', () => {
    const backend = make({ url: 'http://models:8000', ip: '10.0.0.7' });
    opened.push(backend);
    expect(backend.target).toBe('http://models:8000 at 10.0.0.7');
  });

  it('states the url as its target', () => {
    const backend = make({ url: 'https://models.example:8000/serving' }, { credential: 'secret' });
    opened.push(backend);
    expect(backend.target).toBe('https://models.example:8000/serving');
  });

  it.each([BINARY, []])(
    'sends the request under the path, name and version that the server knows (extensions %s)',
    async (...extensions) => {
      const server = await serve({ models: [{ ...MODEL, name: 'there' }], extensions, basePath: '/base' });
      const backend = await warm({ url: `${server.url}/base/`, model: 'there', version: '7' });
      const params = new Map<string, string | bigint | boolean>([
        ['priority', 2n ** 63n],
        ['sequence_id', 's"1'],
        ['sequence_start', true],
      ]);
      const sink = await callOnce(backend, OPTIONS, requestOf([5], { id: 'own "id"', params, wanted: ['y'] }));
      expect(sink.events).toEqual(['prediction', 'end', 'closed']);
      expect(numbersOf(sink.prediction!)).toEqual([5]);
      expect(server.calls[0]).toMatchObject({
        model: 'there',
        version: '7',
        id: 'own "id"',
        wanted: ['y'],
        parameters: { priority: 2n ** 63n, sequence_id: 's"1', sequence_start: true },
        binary: extensions.length > 0,
        wantsBinary: extensions.length > 0,
      });
    },
  );

  it('speaks binary where the server lists it, and JSON where it does not or has no such list', async () => {
    for (const [extensions, binary] of [
      [['statistics', 'binary_tensor_data'], true],
      [['statistics'], false],
    ] as const) {
      const server = await serve({ extensions });
      await callOnce(await warm({ url: server.url }));
      expect(server.calls[0]!.binary).toBe(binary);
    }
    const { extensions: _, ...silent } = { models: [MODEL], extensions: [] };
    const server = await startOipHttpServer(silent);
    opened.push(server);
    await callOnce(await warm({ url: server.url }));
    expect(server.calls[0]!.binary).toBe(false);
  });

  it('does not ask for extensions when config decides', async () => {
    const server = await serve({ extensions: [] });
    await callOnce(await warm({ url: server.url, body: 'binary' }));
    expect(server.calls[0]!.binary).toBe(true);
    expect(server.requests.map((request) => request.path)).not.toContain('/v2');
  });

  it('takes an answer in the form in which it comes', async () => {
    const output = { name: 'y', datatype: 'INT32', shape: [1], data: Buffer.from([7, 0, 0, 0]) };
    for (const body of ['binary', 'json'] as const) {
      for (const script of [binaryOutputs([output]), jsonOutputs([output])]) {
        expect(numbersOf((await answered(script, { body })).prediction!)).toEqual([7]);
      }
    }
  });

  it.each(['binary', 'json'] as const)('names every output where its caller names none: %s', async (body) => {
    const server = await serve();
    const backend = await warm({ url: server.url, body });
    const request = requestOf([1]);
    await callOnce(backend, OPTIONS, request);
    expect(request.wanted).toEqual([]);
    expect(server.calls[0]!.wanted).toEqual(MODEL.outputs.map(({ name }) => name));
  });

  it('sends credential, trace context, request id and the time that is left', async () => {
    const server = await serve();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const backend = await warm({ url: server.url }, { credential: 's3cret' });
    await callOnce(backend, { ...OPTIONS, timeoutMs: 4_000, traceparent, tracestate: 'congo=t61', requestId: 'r-42' });
    expect(server.calls[0]!.headers).toMatchObject({
      authorization: 'Bearer s3cret',
      traceparent,
      tracestate: 'congo=t61',
      'x-request-id': 'r-42',
      'x-sluice-timeout-ms': '4000',
      'content-type': 'application/octet-stream',
      'user-agent': 'sluice',
    });
    expect(server.requests.every((request) => request.headers['authorization'] === 'Bearer s3cret')).toBe(true);
  });

  it('sends neither credential nor trace context where there is none', async () => {
    const server = await serve();
    await callOnce(await warm({ url: server.url }));
    expect(server.calls[0]!.headers).not.toHaveProperty('authorization');
    expect(server.calls[0]!.headers).not.toHaveProperty('traceparent');
    expect(server.calls[0]!.headers).not.toHaveProperty('tracestate');
  });

  it('sends large tensors whole, in the pieces in which they are', async () => {
    const server = await serve();
    const numbers = Array.from({ length: 100_000 }, (_, i) => i * 7);
    const sink = await callOnce(await warm({ url: server.url }), OPTIONS, requestOf(numbers));
    expect(numbersOf(sink.prediction!)).toEqual(numbers);
    expect(server.requests.at(-1)!.headers['content-length']).toBe(String(server.requests.at(-1)!.body.length));
  });

  it('reports how long the call took as its compute time', async () => {
    const clock = new FakeClock();
    const server = await serve({
      onInfer: (call, model) => {
        clock.advance(25);
        return echo(call, model);
      },
    });
    const backend = await warm({ url: server.url }, { clock });
    expect((await callOnce(backend)).prediction!.computeUs).toBe(25_000);
  });

  it('tells the server when a call is cancelled, by closing its connection', async () => {
    const server = await serve({ onInfer: () => answerNever });
    const backend = await warm({ url: server.url });
    const sink = new RecordingSink();
    const call = backend.open(requestOf([1]), OPTIONS, sink);
    await server.called(1, '/infer');
    call.cancel();
    expect(sink.events, 'nothing is said from inside cancel').toEqual([]);
    await Promise.all([sink.closed, server.cancelled(1)]);
    expect(sink.events).toEqual(['fault CLIENT_GONE', 'closed']);
    expect(sink.reached).toBe(true);
  });

  it('asks once more where the connection was closed before an answer, within a budget', async () => {
    const server = await serve({ onInfer: () => cut() });
    const backend = await warm({ url: server.url });
    await callOnce(backend);
    expect(server.calls.length).toBe(2);
    for (let i = 0; i < 20; i++) await callOnce(backend);
    // Ten at once, and a tenth of what comes after.
    expect(server.calls.length).toBeLessThanOrEqual(21 + 10 + 3);
  });

  it('waits for the first byte anew when it asks once more', async () => {
    const late = (script: HttpScript): Promise<HttpScript> => new Promise((resolve) => setTimeout(resolve, 600, script));
    let asked = 0;
    const server = await serve({ onInfer: (call, model) => late(asked++ === 0 ? cut() : echo(call, model)) });
    // Less than both waits together, more than either.
    const sink = await callOnce(await warm({ url: server.url, firstByteTimeoutMs: 1_000 }));
    expect(sink.events).toEqual(['prediction', 'end', 'closed']);
  });

  it('opens a call only once, whatever it is answered, and follows no redirect', async () => {
    for (const script of [answer(503), answer(307, '', { location: '/v2/models/echo/infer' })]) {
      const server = await serve({ onInfer: () => script });
      await callOnce(await warm({ url: server.url }));
      expect(server.calls.length).toBe(1);
    }
  });

  it('lets calls wait when all connections are in use, and forgets those that are cancelled meanwhile', async () => {
    const held: (() => void)[] = [];
    const server = await serve({
      onInfer: (call, model) => new Promise((resolve) => held.push(() => resolve(echo(call, model)))),
    });
    const backend = await warm({ url: server.url, maxConnections: 2 });
    const sinks = [1, 2, 3, 4, 5].map(() => new RecordingSink());
    const calls = sinks.map((sink, n) => backend.open(requestOf([n]), OPTIONS, sink));
    await server.called(2, '/infer');
    calls[3]!.cancel();
    await sinks[3]!.closed;
    expect(sinks[3]!.events).toEqual(['fault CLIENT_GONE', 'closed']);
    expect(sinks[3]!.reached).toBe(false);
    for (let done = 0; done < 4; done++) {
      await server.called(Math.min(4, done + 2), '/infer');
      held[done]!();
    }
    await Promise.all(sinks.map((sink) => sink.closed));
    expect(sinks.map((sink) => (sink.prediction === null ? -1 : numbersOf(sink.prediction)[0]))).toEqual([0, 1, 2, -1, 4]);
    // Two for calls and the one that asked for the signature.
    expect(server.connections).toBeLessThanOrEqual(3);
  });

  it('gives up at the deadline even while it waits for a connection', async () => {
    const server = await serve({ onInfer: () => answerNever });
    const backend = await warm({ url: server.url, maxConnections: 1 });
    backend.open(requestOf([1]), OPTIONS, new RecordingSink());
    const sink = await callOnce(backend, { ...OPTIONS, timeoutMs: 50 });
    expect(sink.events).toEqual(['fault BACKEND_TIMEOUT', 'closed']);
    expect(sink.reached).toBe(false);
    expect(server.calls.length).toBe(1);
  });
});

describe('HttpBackend, answers that are none', () => {
  const rows: readonly (readonly [number, { readonly code: string }, boolean])[] = [
    [204, Fault.BackendFailed, true],
    [301, Fault.BackendFailed, true],
    [400, Fault.BackendRefused, true],
    [401, Fault.BackendFailed, true],
    [403, Fault.BackendFailed, true],
    [404, Fault.BackendFailed, true],
    [408, Fault.BackendTimeout, true],
    [413, Fault.BackendFailed, true],
    [422, Fault.BackendRefused, true],
    [429, Fault.BackendBusy, true],
    [500, Fault.BackendFailed, true],
    [501, Fault.BackendFailed, true],
    [502, Fault.BackendFailed, true],
    [503, Fault.BackendUnreachable, false],
    [504, Fault.BackendTimeout, true],
  ];

  it.each(rows)('takes the status %d for what it means', async (status, fault, reached) => {
    const body = status === 204 ? '' : JSON.stringify({ error: 'inner words of the server' });
    const sink = await answered(answer(status, body));
    expect(sink.events).toEqual([`fault ${fault.code}`, 'closed']);
    expect(sink.reached).toBe(reached);
    if (fault === Fault.BackendRefused) expect(sink.detail).toBe('inner words of the server');
    else expect(sink.detail).toMatch(new RegExp(`^It answered with ${status}[.:]`));
    expect(sink.detail.includes('does not serve this method')).toBe(status === 501);
    expect(sink.retryAfterMs).toBe(0);
  });

  it.each([
    [429, '7', 7_000],
    [503, '7', 7_000],
    [503, '99999', 3_600_000],
    [429, 'soon', 0],
    [500, '7', 0],
    [504, '7', 0],
  ])('hears of %d how long the server asks to wait: %s', async (status, value, retryAfterMs) => {
    expect(await answered(answer(status, '', { 'retry-after': value }))).toMatchObject({ retryAfterMs });
  });

  it('hears of a date to wait for', async () => {
    const sink = await answered(answer(503, '', { 'retry-after': new Date(Date.now() + 20_000).toUTCString() }));
    expect(sink.retryAfterMs).toBeGreaterThan(10_000);
    expect(sink.retryAfterMs).toBeLessThanOrEqual(20_000);
  });

  it('repeats a refusal on one line and not at length', async () => {
    const sink = await answered(answerJson({ error: `shape\r\nof\u0000 x\u2028${'y'.repeat(5_000)}` }, 400));
    expect(sink.detail).toMatch(/^shape of x y+…$/);
    expect(sink.detail.length).toBeLessThanOrEqual(201);
  });

  it.each(['', '[', '"text"', '{"error":5}', '<html>'])('takes a refusal without a reason: %s', async (body) => {
    const sink = await answered(answer(400, body));
    expect(sink.events).toEqual(['fault BACKEND_REFUSED', 'closed']);
    expect(sink.detail).toBe('');
  });

  it('does not read on in an endless refusal', async () => {
    const sink = await answered({ is: 'answer', status: 500, headers: {}, chunks: new Array(200).fill(Buffer.alloc(65_536)) });
    expect(sink.detail).toBe('It answered with 500.');
  });

  const json = (text: string): HttpScript => answer(200, text, { 'content-type': 'application/json' });
  const bytes = (text: string, tail: string, length: string): HttpScript =>
    answer(200, text + tail, { 'inference-header-content-length': length });
  const headOf = (size: number): string =>
    `{"outputs":[{"name":"y","datatype":"INT32","shape":[1],"parameters":{"binary_data_size":${size}}}]}`;
  const head = headOf(4);

  it.each<readonly [string, HttpScript, RegExp]>([
    ['nothing', json(''), /expected an object/],
    ['no JSON', json('<html>'), /expected an object/],
    ['half an answer', json('{"outputs":[{"name":"y"'), /found the end/],
    ['no outputs', json('{"model_name":"m"}'), /"outputs" is missing/],
    ['outputs twice', json('{"outputs":[],"outputs":[]}'), /comes twice/],
    ['more behind it', json('{"outputs":[]}{}'), /expected nothing more/],
    ['an unknown datatype', json('{"outputs":[{"name":"y","datatype":"INT33","shape":[1],"data":[1]}]}'), /no datatype "INT33"/],
    ['too few values', json('{"outputs":[{"name":"y","datatype":"INT32","shape":[2],"data":[1]}]}'), /expected 2 values/],
    [
      'a negative size',
      json('{"outputs":[{"name":"y","datatype":"INT32","shape":[-1],"data":[1]}]}'),
      /output "y": .*whole number/,
    ],
    ['a value out of range', json('{"outputs":[{"name":"y","datatype":"INT8","shape":[1],"data":[300]}]}'), /does not fit INT8/],
    [
      'no data',
      json('{"outputs":[{"name":"y","datatype":"INT32","shape":[1]}]}'),
      /"data" is missing, and so is the parameter "binary_data_size"/,
    ],
    ['sizes without bytes', json(head), /only 0 bytes are left/],
    ['a length past the end', bytes(head, 'abcd', '9999'), /outside its/],
    ['a length of nothing', bytes(head, 'abcd', '0'), /outside its/],
    ['a length that is none', bytes(head, 'abcd', '0x10'), /outside its/],
    ['a length that cuts the JSON', bytes(head, 'abcd', '10'), /found the end/],
    ['more bytes than are claimed', bytes(head, 'abcde', String(head.length)), /1 bytes behind the JSON/],
    ['fewer bytes than are claimed', bytes(headOf(8), 'abcd', String(head.length)), /only 4 bytes are left/],
    ['gzip that is none', answer(200, 'plain', { 'content-encoding': 'gzip' }), /incorrect header check/],
    ['a coding nobody asked for', answer(200, 'plain', { 'content-encoding': 'br' }), /neither gzip nor deflate/],
    ['no HTTP', cut('ICY 200 OK\r\n\r\n'), /HTTP/],
  ])('calls an answer of %s a lie', async (_what, script, detail) => {
    const sink = await answered(script);
    expect(sink.events).toEqual(['fault BACKEND_LIED', 'closed']);
    expect(sink.reached).toBe(true);
    expect(sink.detail).toMatch(detail);
  });

  it('unpacks an answer that came packed', async () => {
    const body = gzipSync('{"outputs":[{"name":"y","datatype":"INT32","shape":[1],"data":[5]}]}');
    expect(numbersOf((await answered(answer(200, body, { 'content-encoding': 'gzip' }))).prediction!)).toEqual([5]);
  });

  it.each<readonly [string, HttpScript]>([
    ['as it says', answer(200, Buffer.alloc(4_096), { 'content-length': '4096' })],
    ['as it turns out', { is: 'answer', status: 200, headers: {}, chunks: [Buffer.alloc(1_500), Buffer.alloc(1_500)] }],
    ['when unpacked', answer(200, gzipSync(Buffer.alloc(100_000)), { 'content-encoding': 'gzip' })],
  ])('does not take an answer that is too large %s', async (_how, script) => {
    const sink = await answered(script, { maxMessageBytes: 2_048 });
    expect(sink.events).toEqual(['fault BACKEND_FAILED', 'closed']);
    expect(sink.detail).toBe('The body is larger than 2048 bytes.');
    expect(sink.reached).toBe(true);
  });

  it('neither writes nor reads more JSON than config allows', async () => {
    const long = await answered(answer(200, `{"outputs":[],"x":"${'x'.repeat(300)}"}`), { maxJsonBytes: 256 });
    expect(long.events).toEqual(['fault BACKEND_FAILED', 'closed']);
    expect(long.detail).toMatch(/bytes of JSON; maxJsonBytes allows 256/);
    const server = await serve();
    const backend = await warm({ url: server.url, body: 'json', maxJsonBytes: 8 });
    const sink = await callOnce(backend, OPTIONS, requestOf([1, 2, 3]));
    expect(sink.events).toEqual(['fault BODY_TOO_LARGE', 'closed']);
    expect(sink.reached).toBe(false);
    expect(server.calls).toEqual([]);
  });

  it('says what cannot be said in JSON, and does not send it', async () => {
    const server = await serve();
    const backend = await warm({ url: server.url, body: 'json' });
    for (const [datatype, data, detail] of [
      ['FP16', Buffer.alloc(2), /FP16 has no form in the JSON/],
      ['BYTES', Buffer.from([1, 0, 0, 0, 0xff]), /not UTF-8/],
    ] as const) {
      const sink = await callOnce(backend, OPTIONS, { ...requestOf([]), inputs: [{ name: 'x', datatype, shape: [1], data }] });
      expect(sink.events).toEqual(['fault NOT_SUPPORTED', 'closed']);
      expect(sink.detail).toMatch(detail);
    }
    expect(server.calls).toEqual([]);
  });

  it('gives up at the deadline and tells the server', async () => {
    const server = await serve({ onInfer: () => answerNever });
    const sink = await callOnce(await warm({ url: server.url }), { ...OPTIONS, timeoutMs: 60 });
    expect(sink.events).toEqual(['fault BACKEND_TIMEOUT', 'closed']);
    expect(sink.reached).toBe(true);
    await server.cancelled(1);
  });

  it('gives up earlier where config bounds the wait for the first byte', async () => {
    const server = await serve({ onInfer: () => answerNever });
    const sink = await callOnce(await warm({ url: server.url, firstByteTimeoutMs: 60 }));
    expect(sink.events).toEqual(['fault BACKEND_TIMEOUT', 'closed']);
    await server.cancelled(1);
  });

  it('gives up at the deadline on an answer that trickles', async () => {
    const chunks = new Array<Buffer>(100_000).fill(Buffer.from(' '));
    const server = await serve({ onInfer: () => ({ is: 'answer', status: 200, headers: {}, chunks }) });
    const sink = await callOnce(await warm({ url: server.url }), { ...OPTIONS, timeoutMs: 60 });
    expect(sink.events).toEqual(['fault BACKEND_TIMEOUT', 'closed']);
  });

  it.each<readonly [string, HttpScript]>([
    ['before', cut()],
    ['amid', cut('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"outputs":[]}')],
    ['amid the chunks of', cut('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n')],
  ])('counts a connection that dies %s an answer as reached', async (_when, script) => {
    const sink = await answered(script);
    expect(sink.events).toEqual(['fault BACKEND_UNREACHABLE', 'closed']);
    expect(sink.reached).toBe(true);
  });

  it('counts a server that has gone as not reached, and comes back by itself', async () => {
    const first = await serve();
    const backend = await warm({ url: first.url });
    await first.close();
    // The end of an idle connection takes a turn of the loop to be seen.
    await new Promise((done) => setTimeout(done, 5));
    const lost = await callOnce(backend);
    expect(lost.events).toEqual(['fault BACKEND_UNREACHABLE', 'closed']);
    expect(lost.reached).toBe(false);
    expect(lost.detail).toContain('ECONNREFUSED');
    await serve({ port: first.port });
    expect((await callOnce(backend)).events).toEqual(['prediction', 'end', 'closed']);
  });

  it('does not wait for a connection longer than config says', async () => {
    const sockets: Socket[] = [];
    const silent = await listening((socket) => sockets.push(socket.on('error', () => undefined)));
    const { port } = silent.address() as { port: number };
    const backend = make({ url: `https://localhost:${port}`, connectTimeoutMs: 50 });
    opened.push(backend);
    const error = await failureOf(backend);
    expect(error.kind).toBe(Fault.BackendUnreachable);
    expect(error.message).toContain('No connection within 50 ms');
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => silent.close(resolve));
  });

  it('answers a probe while every connection is busy', async () => {
    const server = await serve({ onInfer: () => answerNever });
    const backend = await warm({ url: server.url, maxConnections: 1 });
    const sink = new RecordingSink();
    backend.open(requestOf([1]), OPTIONS, sink);
    await server.called(1, 'echo/infer');
    expect(await backend.probe(2_000)).toBe(true);
  });

  it('takes no call before it is warm', async () => {
    const server = await serve();
    const backend = make({ url: server.url });
    opened.push(backend);
    const sink = await callOnce(backend);
    expect(sink.events).toEqual(['fault BACKEND_UNREACHABLE', 'closed']);
    expect(sink.reached).toBe(false);
  });
});

describe('HttpBackend over TLS', () => {
  const tls = { cert: TEST_CERTIFICATE, key: TEST_CERTIFICATE_KEY };

  it('checks the certificate against the authority and the name in config', async () => {
    const server = await serve({ tls });
    const backend = await warm({ url: server.url }, { ca: TEST_CERTIFICATE, serverName: 'sluice.test' });
    expect((await callOnce(backend)).events).toEqual(['prediction', 'end', 'closed']);
  });

  it('connects to an address that the name stands for, and checks the certificate against the name', async () => {
    const server = await serve({ tls });
    const at = (host: string) => ({ url: `https://${host}:${server.port}`, ip: '127.0.0.1' });
    const backend = await warm(at('sluice.test'), { ca: TEST_CERTIFICATE });
    expect((await callOnce(backend)).events).toEqual(['prediction', 'end', 'closed']);
    expect(server.requests.at(-1)!.headers['host']).toBe(`sluice.test:${server.port}`);
    // The certificate has the address too, and that must not do.
    const other = make(at('other.test'), { ca: TEST_CERTIFICATE });
    opened.push(other);
    expect((await failureOf(other)).kind).toBe(Fault.BackendUnreachable);
  });

  it.each([
    ['an authority it does not know', {}],
    ['another name', { ca: TEST_CERTIFICATE, serverName: 'other.test' }],
  ])('does not speak to a server with %s', async (_what, more) => {
    const server = await serve({ tls });
    const backend = make({ url: server.url }, { credential: 'secret', ...more });
    opened.push(backend);
    const error = await failureOf(backend);
    expect(error.kind).toBe(Fault.BackendUnreachable);
    expect(server.requests).toEqual([]);
  });

  it('shows its client certificate', async () => {
    const server = await serve({ tls: { ...tls, clientCa: TEST_CERTIFICATE } });
    const config = backendSchema.parse({ kind: 'http', endpoints: [server.url] }) as HttpBackendConfig;
    const named = { ca: TEST_CERTIFICATE, serverName: 'sluice.test' };
    const endpoint = { name: server.url, ip: '' };
    const options = { endpoint, model: 'echo', credential: null, clock: new SystemClock() };
    const bare = new HttpBackend(config, { ...options, tls: { ...named, cert: null, key: null } });
    const shown = new HttpBackend(config, { ...options, tls: { ...named, cert: TEST_CERTIFICATE, key: TEST_CERTIFICATE_KEY } });
    opened.push(bare, shown);
    await shown.warm();
    expect((await failureOf(bare)).kind).not.toBe(Fault.BackendLied);
  });
});

describe('HttpBackend, before traffic', () => {
  it('reads the signature as the server states it', async () => {
    const server = await serve();
    expect(await (await warm({ url: server.url })).warm()).toEqual({
      platform: 'test_platform',
      decoupled: false,
      inputs: [{ name: 'x', datatype: 'INT32', shape: [-1] }],
      outputs: [{ name: 'y', datatype: 'INT32', shape: [-1] }],
    });
  });

  it('says which model is missing on which server', async () => {
    const server = await serve();
    const backend = make({ url: server.url, model: 'absent' });
    opened.push(backend);
    const error = await failureOf(backend);
    expect(error.kind).toBe(Fault.BackendFailed);
    expect(error.message).toContain(server.url);
    expect(error.message).toContain('"absent"');
    expect(error.message).toContain('404');
  });

  it.each<readonly [string, HttpScript, RegExp]>([
    ['garbage', answer(200, '<html>'), /not a JSON object/],
    ['a million brackets', answer(200, '['.repeat(1_000_000)), /not a JSON object/],
    ['an unknown datatype', answerJson({ inputs: [{ name: 'x', datatype: 'INT33', shape: [1] }], outputs: [] }), /INT33/],
    ['a shape of words', answerJson({ inputs: [{ name: 'x', datatype: 'INT32', shape: ['a'] }], outputs: [] }), /has no shape/],
    ['no outputs', answerJson({ inputs: [] }), /"outputs" is not a list/],
  ])('refuses metadata that is %s', async (_what, metadata, detail) => {
    const server = await serve({ metadata });
    const backend = make({ url: server.url });
    opened.push(backend);
    const error = await failureOf(backend);
    expect(error.kind).toBe(Fault.BackendLied);
    expect(error.message).toMatch(detail);
  });

  it('is not ready while the server says so, or before it is warm', async () => {
    const server = await serve({ models: [{ ...MODEL, ready: false }] });
    const backend = make({ url: server.url });
    opened.push(backend);
    expect(await backend.probe(2_000)).toBe(false);
    await backend.warm();
    expect(await backend.probe(2_000)).toBe(false);
    expect(server.requests.at(-1)!.path).toBe('/v2/models/echo/ready');
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
