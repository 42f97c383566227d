import { createServer, type Server as NetServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GrpcBackend, type GrpcBackendOptions } from '../../../src/backends/grpc/grpc-backend.ts';
import { backend as backendSchema, type GrpcBackendConfig } from '../../../src/config/model-schema.ts';
import type { CallOptions } from '../../../src/core/backend.ts';
import { SystemClock } from '../../../src/core/clock.ts';
import { Fault, GatewayError } from '../../../src/core/faults.ts';
import { GrpcStatus } from '../../../src/core/grpc-status.ts';
import type { InferenceRequest, Prediction } from '../../../src/core/inference.ts';
import { type BackendFixture, backendContract } from '../../support/contracts/backend-contract.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import {
  answerBytes,
  answerEcho,
  answerNever,
  answerOutputs,
  answerStatus,
  type OipAnswer,
  type OipModel,
  type OipServer,
  type OipServerOptions,
  startOipServer,
} from '../../support/oip-server.ts';
import { RecordingSink } from '../../support/recording-sink.ts';

const MODEL: OipModel = {
  name: 'echo',
  platform: 'test_platform',
  inputs: [{ name: 'x', datatype: 'INT32', shape: [-1] }],
  outputs: [{ name: 'y', datatype: 'INT32', shape: [-1] }],
};

const OPTIONS: CallOptions = { timeoutMs: 10_000, traceparent: '', tracestate: '', requestId: 'r-1', affinity: 0, avoid: '' };

/** What the backends of this test speak with. */
let engine: GrpcBackendConfig['engine'] = 'grpc-js';

type Config = Partial<GrpcBackendConfig> & { readonly address: string; readonly ip?: string };

/** A backend of one endpoint, not closed by anybody. */
function make({ address, ip = '', ...fields }: Config, more: Partial<GrpcBackendOptions> = {}): GrpcBackend {
  const config = backendSchema.parse({ kind: 'grpc', endpoints: [address], engine, ...fields }) as GrpcBackendConfig;
  const endpoint = { name: address, ip };
  return new GrpcBackend(config, { endpoint, model: 'echo', credential: null, tls: null, clock: new SystemClock(), ...more });
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

/** A port that nobody listens on: bound once, so that the system does not give it away again at once. */
async function deadAddress(): Promise<string> {
  const server = await listening(() => undefined);
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return `127.0.0.1:${port}`;
}

function listening(onSocket: (socket: Socket) => void): Promise<NetServer> {
  const server = createServer(onSocket);
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

const opened: { close(): Promise<unknown> }[] = [];

afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) await thing.close();
});

async function serve(options: Partial<OipServerOptions> = {}): Promise<OipServer> {
  const server = await startOipServer({ models: [MODEL], ...options });
  opened.push(server);
  return server;
}

function backendOf(config: Config, credential: string | null = null): GrpcBackend {
  const backend = make(config, { credential });
  opened.push(backend);
  return backend;
}

async function callOnce(backend: GrpcBackend, options: CallOptions = OPTIONS): Promise<RecordingSink> {
  const sink = new RecordingSink();
  backend.open(requestOf([1, 2, 3]), options, sink);
  await sink.closed;
  return sink;
}

/** One call to a server that gives this answer. */
async function answered(answer: OipAnswer, config: Partial<GrpcBackendConfig> = {}): Promise<RecordingSink> {
  const server = await serve({ onInfer: () => answer });
  return callOnce(backendOf({ address: server.address, ...config }));
}

async function makeFixture(): Promise<BackendFixture> {
  const lost = await deadAddress();
  const server = await startOipServer({
    models: [MODEL],
    onInfer: (call, model) =>
      call.inputs[0]?.name === 'x' ? answerEcho(call, model) : answerStatus(GrpcStatus.InvalidArgument, 'expected input "x"'),
  });
  return {
    backend: make({ address: server.address }),
    request: (n) => requestOf([n, n + 1]),
    mistake: (n, prediction) => {
      const found = numbersOf(prediction);
      return found[0] === n && found[1] === n + 1 ? '' : `found ${found}, expected ${n}, ${n + 1}`;
    },
    misfit: () => ({ ...requestOf([1]), inputs: [{ name: 'other', datatype: 'INT32', shape: [1], data: Buffer.alloc(4) }] }),
    lost: () => make({ address: lost, connectTimeoutMs: 100 }),
    dispose: () => server.close(),
  };
}

describe.each(['grpc-js', 'own'] as const)('on %s', (each) => {
  beforeEach(() => {
    engine = each;
  });

  backendContract('GrpcBackend', makeFixture);

  describe('GrpcBackend', () => {
    it('states the address as its target', () => {
      expect(backendOf({ address: 'models.example:8001' }, 'secret').target).toBe('models.example:8001');
    });

    it('sends the request under the name and version that the server knows', async () => {
      const server = await serve({ models: [{ ...MODEL, name: 'there' }] });
      const backend = backendOf({ address: server.address, model: 'there', version: '7' });
      const sink = new RecordingSink();
      backend.open(requestOf([5], { id: 'own-id', params: new Map([['priority', 2]]), wanted: ['y'] }), OPTIONS, sink);
      await sink.closed;
      expect(sink.events).toEqual(['prediction', 'end', 'closed']);
      expect(server.calls[0]).toMatchObject({
        model: 'there',
        version: '7',
        id: 'own-id',
        wanted: ['y'],
        parameters: { priority: 2 },
      });
      expect(Buffer.from(server.calls[0]!.inputs[0]!.data).readInt32LE(0)).toBe(5);
    });

    it('names every output where its caller names none, once it knows them', async () => {
      const outputs = [...MODEL.outputs, { ...MODEL.outputs[0]!, name: 'z' }];
      const server = await serve({ models: [{ ...MODEL, outputs }] });
      const backend = backendOf({ address: server.address });
      await callOnce(backend);
      await backend.warm();
      await callOnce(backend);
      const request = requestOf([5], { wanted: ['y'] });
      const sink = new RecordingSink();
      backend.open(request, OPTIONS, sink);
      await sink.closed;
      expect(server.calls.map((call) => call.wanted)).toEqual([[], ['y', 'z'], ['y']]);
    });

    it('sends credential, trace context and request id as metadata', async () => {
      const server = await serve();
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
      await callOnce(backendOf({ address: server.address }, 's3cret'), {
        timeoutMs: 5_000,
        traceparent,
        tracestate: 'congo=t61rcWkgMzE',
        requestId: 'r-42',
        affinity: 0,
        avoid: '',
      });
      expect(server.calls[0]!.metadata).toMatchObject({
        authorization: 'Bearer s3cret',
        traceparent,
        tracestate: 'congo=t61rcWkgMzE',
        'x-request-id': 'r-42',
      });
      expect(server.calls[0]!.metadata['user-agent']).toMatch(/^sluice\b/);
    });

    it('sends neither credential nor trace context where there is none', async () => {
      const server = await serve();
      await callOnce(backendOf({ address: server.address }));
      expect(server.calls[0]!.metadata).not.toHaveProperty('authorization');
      expect(server.calls[0]!.metadata).not.toHaveProperty('traceparent');
      expect(server.calls[0]!.metadata).not.toHaveProperty('tracestate');
    });

    it('grants the server the time that is left', async () => {
      const server = await serve();
      await callOnce(backendOf({ address: server.address }), { ...OPTIONS, timeoutMs: 4_000 });
      expect(server.calls[0]!.grantedMs).toBeGreaterThan(1_000);
      expect(server.calls[0]!.grantedMs).toBeLessThanOrEqual(4_000);
    });

    it('reports how long the call took as its compute time', async () => {
      const clock = new FakeClock();
      const server = await serve({
        onInfer: (call, model) => {
          clock.advance(25);
          return answerEcho(call, model);
        },
      });
      const backend = make({ address: server.address }, { clock });
      opened.push(backend);
      expect((await callOnce(backend)).prediction!.computeUs).toBe(25_000);
    });

    it('tells the server when a call is cancelled', async () => {
      const server = await serve({ onInfer: () => answerNever });
      const sink = new RecordingSink();
      const call = backendOf({ address: server.address }).open(requestOf([1]), OPTIONS, sink);
      await server.called(1);
      call.cancel();
      await Promise.all([sink.closed, server.cancelled(1)]);
      expect(sink.events).toEqual(['fault CLIENT_GONE', 'closed']);
      expect(sink.reached).toBe(true);
    });

    it('opens a call only once, whatever comes of it', async () => {
      const server = await serve({ onInfer: () => answerStatus(GrpcStatus.Unavailable, 'not now') });
      await callOnce(backendOf({ address: server.address }));
      expect(server.callCount).toBe(1);
    });
  });

  describe('GrpcBackend, answers that are none', () => {
    const rows: readonly (readonly [string, number, { readonly code: string }, boolean])[] = [
      ['CANCELLED', GrpcStatus.Cancelled, Fault.BackendFailed, true],
      ['UNKNOWN', GrpcStatus.Unknown, Fault.BackendFailed, true],
      ['INVALID_ARGUMENT', GrpcStatus.InvalidArgument, Fault.BackendRefused, true],
      ['DEADLINE_EXCEEDED', GrpcStatus.DeadlineExceeded, Fault.BackendTimeout, true],
      ['NOT_FOUND', GrpcStatus.NotFound, Fault.BackendFailed, true],
      ['ALREADY_EXISTS', GrpcStatus.AlreadyExists, Fault.BackendFailed, true],
      ['PERMISSION_DENIED', GrpcStatus.PermissionDenied, Fault.BackendFailed, true],
      ['RESOURCE_EXHAUSTED', GrpcStatus.ResourceExhausted, Fault.BackendBusy, true],
      ['FAILED_PRECONDITION', GrpcStatus.FailedPrecondition, Fault.BackendFailed, true],
      ['ABORTED', GrpcStatus.Aborted, Fault.BackendFailed, true],
      ['OUT_OF_RANGE', GrpcStatus.OutOfRange, Fault.BackendRefused, true],
      ['UNIMPLEMENTED', GrpcStatus.Unimplemented, Fault.BackendFailed, true],
      ['INTERNAL', GrpcStatus.Internal, Fault.BackendFailed, true],
      ['UNAVAILABLE', GrpcStatus.Unavailable, Fault.BackendUnreachable, false],
      ['DATA_LOSS', GrpcStatus.DataLoss, Fault.BackendFailed, true],
      ['UNAUTHENTICATED', GrpcStatus.Unauthenticated, Fault.BackendFailed, true],
    ];

    it.each(rows)('takes the status %s for what it means', async (name, code, fault, reached) => {
      const sink = await answered(answerStatus(code, 'inner words of the server'));
      expect(sink.events).toEqual([`fault ${fault.code}`, 'closed']);
      expect(sink.reached).toBe(reached);
      if (fault === Fault.BackendRefused) expect(sink.detail).toBe('inner words of the server');
      else expect(sink.detail).not.toContain('inner words');
      if (fault === Fault.BackendFailed) expect(sink.detail).toMatch(new RegExp(`^It answered with ${name}[.:]`));
      expect(sink.retryAfterMs).toBe(0);
    });

    it('says in the log that the server does not serve the method, when that is what it said', async () => {
      const sink = await answered(answerStatus(GrpcStatus.Unimplemented, 'inner words'));
      expect(sink.detail).toContain('does not serve this method');
    });

    it.each([
      ['RESOURCE_EXHAUSTED', GrpcStatus.ResourceExhausted, { 'grpc-retry-pushback-ms': '4500' }, 4_500, true],
      ['UNAVAILABLE', GrpcStatus.Unavailable, { 'grpc-retry-pushback-ms': '20' }, 20, false],
      ['UNAVAILABLE of an HTTP proxy', GrpcStatus.Unavailable, { 'retry-after': '7' }, 7_000, false],
      ['both', GrpcStatus.Unavailable, { 'retry-after': '7', 'grpc-retry-pushback-ms': '5' }, 5, false],
      ['too long', GrpcStatus.ResourceExhausted, { 'grpc-retry-pushback-ms': '9999999999' }, 3_600_000, true],
      ['never', GrpcStatus.Unavailable, { 'grpc-retry-pushback-ms': '-1' }, -1, false],
      ['what is no number', GrpcStatus.Unavailable, { 'grpc-retry-pushback-ms': 'soon' }, -1, false],
      ['a fault that no wait cures', GrpcStatus.Internal, { 'grpc-retry-pushback-ms': '4500' }, 0, true],
    ] as const)('hears how long the server asks to wait: %s', async (_what, code, trailers, retryAfterMs, reached) => {
      expect(await answered(answerStatus(code, '', trailers))).toMatchObject({ retryAfterMs, reached });
    });

    it('repeats a refusal on one line and not at length', async () => {
      const sink = await answered(answerStatus(GrpcStatus.InvalidArgument, `shape\r\nof\u0000 x\u2028${'y'.repeat(5_000)}`));
      expect(sink.detail).toMatch(/^shape of x y+…$/);
      expect(sink.detail.length).toBeLessThanOrEqual(201);
    });

    it('calls bytes that are no message a lie', async () => {
      const sink = await answered(answerBytes(Buffer.from('ffffffffff', 'hex')));
      expect(sink.events).toEqual(['fault BACKEND_LIED', 'closed']);
      expect(sink.reached).toBe(true);
      expect(sink.detail).not.toBe('');
    });

    it('does not take an answer larger than config allows, nor call it a busy backend', async () => {
      const large = { name: 'y', datatype: 'INT32', shape: [1_000], data: Buffer.alloc(4_000) };
      const sink = await answered(answerOutputs([large]), { maxMessageBytes: 2_048 });
      expect(sink.events).toEqual(['fault BACKEND_FAILED', 'closed']);
      expect(sink.detail).toBe('Its answer is larger than 2048 bytes.');
    });

    it('gives up at the deadline and tells the server', async () => {
      const server = await serve({ onInfer: () => answerNever });
      const sink = await callOnce(backendOf({ address: server.address }), { ...OPTIONS, timeoutMs: 60 });
      expect(sink.events).toEqual(['fault BACKEND_TIMEOUT', 'closed']);
      expect(sink.reached).toBe(true);
      await server.cancelled(1);
    });

    it('counts a server that nobody listens for as not reached', async () => {
      const sink = await callOnce(backendOf({ address: await deadAddress() }));
      expect(sink.events).toEqual(['fault BACKEND_UNREACHABLE', 'closed']);
      expect(sink.reached).toBe(false);
    });

    it('does not wait for a connection longer than config says', async () => {
      const sockets: Socket[] = [];
      const silent = await listening((socket) => sockets.push(socket.on('error', () => undefined)));
      const { port } = silent.address() as { port: number };
      const silentTls = { ca: null, cert: null, key: null, serverName: null };
      const backend = make({ address: `localhost:${port}`, connectTimeoutMs: 50 }, { tls: silentTls });
      opened.push(backend);
      const sink = await callOnce(backend);
      expect(sink.events).toEqual(['fault BACKEND_UNREACHABLE', 'closed']);
      expect(sink.reached).toBe(false);
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => silent.close(resolve));
    });

    it('counts a connection that is lost under a call as not reached, and comes back by itself', async () => {
      const first = await serve({ onInfer: () => answerNever });
      const backend = backendOf({ address: first.address });
      const lost = new RecordingSink();
      backend.open(requestOf([1]), OPTIONS, lost);
      await first.called(1);
      await first.close();
      await lost.closed;
      expect(lost.events).toEqual(['fault BACKEND_UNREACHABLE', 'closed']);
      expect(lost.reached).toBe(false);
      await serve({ port: first.port });
      await backend.warm();
      expect((await callOnce(backend)).events).toEqual(['prediction', 'end', 'closed']);
    });
  });

  describe('GrpcBackend, before traffic', () => {
    it('reads the signature as the server states it', async () => {
      const server = await serve();
      expect(await backendOf({ address: server.address }).warm()).toEqual({
        platform: 'test_platform',
        decoupled: false,
        inputs: [{ name: 'x', datatype: 'INT32', shape: [-1] }],
        outputs: [{ name: 'y', datatype: 'INT32', shape: [-1] }],
      });
    });

    it('says which model is missing on which server', async () => {
      const server = await serve();
      const error = await failureOf(backendOf({ address: server.address, model: 'absent' }));
      expect(error.kind).toBe(Fault.BackendFailed);
      expect(error.message).toContain(server.address);
      expect(error.message).toContain('"absent"');
      expect(error.message).toContain('NOT_FOUND');
    });

    it('says why there is no connection', async () => {
      const error = await failureOf(backendOf({ address: await deadAddress(), connectTimeoutMs: 100 }));
      expect(error.kind).toBe(Fault.BackendUnreachable);
      expect(error.message).toContain('ECONNREFUSED');
    });

    it('refuses metadata with a datatype that does not exist', async () => {
      const server = await serve({ models: [{ ...MODEL, inputs: [{ name: 'x', datatype: 'INT33', shape: [-1] }] }] });
      const error = await failureOf(backendOf({ address: server.address }));
      expect(error.kind).toBe(Fault.BackendLied);
      expect(error.message).toContain('INT33');
    });

    it('refuses metadata that is garbage', async () => {
      const server = await serve({ metadataBytes: Buffer.from('0affffff', 'hex') });
      expect((await failureOf(backendOf({ address: server.address }))).kind).toBe(Fault.BackendLied);
    });

    it('is not ready while the server says so', async () => {
      const server = await serve({ models: [{ ...MODEL, ready: false }] });
      expect(await backendOf({ address: server.address }).probe(2_000)).toBe(false);
    });
  });
});

async function failureOf(backend: GrpcBackend): Promise<GatewayError> {
  const error = await backend.warm().then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(GatewayError);
  return error as GatewayError;
}
