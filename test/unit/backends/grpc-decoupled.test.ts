import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GrpcBackend } from '../../../src/backends/grpc/grpc-backend.ts';
import { backend as backendSchema, type GrpcBackendConfig } from '../../../src/config/model-schema.ts';
import type { Call, CallOptions } from '../../../src/core/backend.ts';
import { SystemClock } from '../../../src/core/clock.ts';
import { Fault } from '../../../src/core/faults.ts';
import { GrpcStatus } from '../../../src/core/grpc-status.ts';
import type { InferenceRequest } from '../../../src/core/inference.ts';
import { eventually } from '../../support/gateway-under-test.ts';
import type { OipTensor } from '../../support/oip-messages.ts';
import {
  answerBytes,
  answerNever,
  answerParts,
  type OipAnswer,
  type OipModel,
  type OipServer,
  startOipServer,
} from '../../support/oip-server.ts';
import { RecordingSink } from '../../support/recording-sink.ts';

const MODEL: OipModel = {
  name: 'count',
  inputs: [{ name: 'x', datatype: 'INT32', shape: [1] }],
  outputs: [{ name: 'y', datatype: 'INT32', shape: [-1] }],
  decoupled: true,
};
const OPTIONS: CallOptions = { timeoutMs: 10_000, traceparent: '', tracestate: '', requestId: 'r-1', affinity: 0, avoid: '' };

let engine: GrpcBackendConfig['engine'] = 'grpc-js';

const opened: { close(): Promise<unknown> }[] = [];

afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) await thing.close();
});

const part = (value: number, bytes = 4): OipTensor[] => {
  const data = Buffer.alloc(bytes);
  data.writeInt32LE(value);
  return [{ name: 'y', datatype: 'INT32', shape: [bytes / 4], data }];
};

function backendAt({ address }: OipServer): GrpcBackend {
  const config = backendSchema.parse({ kind: 'grpc', endpoints: [address], engine }) as GrpcBackendConfig;
  const endpoint = { name: address, ip: '' };
  const backend = new GrpcBackend(config, { endpoint, model: 'count', credential: null, tls: null, clock: new SystemClock() });
  opened.push(backend);
  return backend;
}

async function ask(answer: OipAnswer, prepare: (sink: RecordingSink) => void = () => undefined): Promise<Asked> {
  const server = await startOipServer({ models: [MODEL], onInfer: () => answer });
  opened.push(server);
  const backend = backendAt(server);
  expect(await backend.warm()).toMatchObject({ decoupled: true });
  const sink = new RecordingSink();
  prepare(sink);
  return { server, sink, call: backend.open(REQUEST, OPTIONS, sink) };
}

interface Asked {
  readonly server: OipServer;
  readonly sink: RecordingSink;
  readonly call: Call;
}

const REQUEST: InferenceRequest = {
  task: 'predict',
  model: 'public',
  version: '',
  id: 'mine',
  params: new Map(),
  inputs: [{ name: 'x', datatype: 'INT32', shape: [1], data: Buffer.alloc(4) }],
  wanted: [],
  timeoutUs: 0,
  sequenceId: '',
};

const numbersOf = ({ predictions }: RecordingSink): number[] =>
  predictions.map(({ outputs }) => Buffer.from(outputs[0]!.data).readInt32LE());

describe.each(['grpc-js', 'own'] as const)('GrpcBackend with a decoupled model on %s', (each) => {
  beforeEach(() => {
    engine = each;
  });

  it('hands on each answer as it comes, and the end after the last', async () => {
    const { sink, server } = await ask(answerParts([part(1), part(2), part(3)]));
    await sink.closed;
    expect([numbersOf(sink), sink.events.slice(-2)]).toEqual([
      [1, 2, 3],
      ['end', 'closed'],
    ]);
    expect(server.calls[0]).toMatchObject({ model: 'count', id: 'mine', metadata: { triton_grpc_error: 'true' } });
  });

  it('takes no answer at all for the answer that it is', async () => {
    const { sink } = await ask(answerParts([]));
    await sink.closed;
    expect(sink.events).toEqual(['end', 'closed']);
  });

  it('leaves with the server what nobody asks for: a paused call is not read ahead of', async () => {
    function* endless(): Generator<OipTensor[]> {
      for (let i = 0; ; i++) yield part(i, 262_144);
    }
    const { sink, server, call } = await ask(answerParts(endless()), (paused) => {
      paused.pauses = true;
    });
    await eventually('the first answer', async () => sink.predictions.length === 1);
    // What the server could send stays in the windows of HTTP/2 and the buffers of two sockets.
    let before = -1;
    await eventually('a server that sends no more', async () => {
      const still = server.partsSent === before;
      before = server.partsSent;
      return still;
    });
    expect(server.partsSent).toBeLessThan(64);
    call.resume();
    await eventually('the second answer', async () => sink.predictions.length === 2);
    expect(numbersOf(sink)).toEqual([0, 1]);
    call.cancel();
    await sink.closed;
    expect(sink.events.slice(-2)).toEqual(['fault CLIENT_GONE', 'closed']);
    await server.cancelled(1);
  });

  it('tells the status that ends the answers early, after those that came', async () => {
    const heard = Promise.withResolvers<void>();
    async function* one(): AsyncGenerator<OipTensor[]> {
      yield part(1);
      // A status that is an error may overtake an answer that nobody has read.
      await heard.promise;
    }
    const { sink } = await ask(answerParts(one(), GrpcStatus.InvalidArgument, 'no such thing'));
    await eventually('the answer', () => sink.predictions.length === 1);
    heard.resolve();
    await sink.closed;
    expect([numbersOf(sink), sink.events]).toEqual([[1], ['prediction', 'fault BACKEND_REFUSED', 'closed']]);
    expect(sink.detail).toBe('no such thing');
  });

  it.each([
    ['garbage', Buffer.from([0x12, 0x7f, 1]), Fault.BackendLied],
    ['an error message', Buffer.concat([Buffer.from([0x0a, 4]), Buffer.from('sick')]), Fault.BackendFailed],
  ])('refuses %s in place of an answer, and lets go of the server', async (_what, bytes, kind) => {
    const { sink, server } = await ask(answerBytes(bytes));
    await sink.closed;
    expect([sink.fault, sink.events.length]).toEqual([kind, 2]);
    await server.cancelled(1);
  });

  it('tells how long the server asks to wait', async () => {
    const busy = answerParts([], GrpcStatus.ResourceExhausted, 'full', { 'grpc-retry-pushback-ms': '4500' });
    const { sink } = await ask(busy);
    await sink.closed;
    expect(sink).toMatchObject({ fault: Fault.BackendBusy, retryAfterMs: 4_500 });
  });

  it('ends at the deadline when nothing comes', async () => {
    const { server } = await ask(answerNever);
    const backend = backendAt(server);
    await backend.warm();
    const sink = new RecordingSink();
    backend.open(REQUEST, { ...OPTIONS, timeoutMs: 100 }, sink);
    await sink.closed;
    expect(sink.fault).toBe(Fault.BackendTimeout);
  });
});
