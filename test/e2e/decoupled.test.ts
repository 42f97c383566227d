import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GrpcCaller } from '../support/clients.ts';
import { grpcVariant, TENANTS } from '../support/configs.ts';
import { admin, eventually, type GatewayUnderTest, startGateway } from '../support/gateway-under-test.ts';
import { InferStream } from '../support/infer-stream.ts';
import type { OipTensor } from '../support/oip-messages.ts';
import { answerParts, type OipAnswer, type OipServer, startOipServer } from '../support/oip-server.ts';
import { StreamCaller } from '../support/stream-caller.ts';

const COUNT = {
  name: 'count',
  inputs: [{ name: 'times', datatype: 'INT32' as const, shape: [1] }],
  outputs: [{ name: 'nth', datatype: 'INT32' as const, shape: [-1] }],
  decoupled: true,
};

const part = (value: number, bytes = 4): OipTensor[] => {
  const data = Buffer.alloc(bytes);
  data.writeInt32LE(value);
  return [{ name: 'nth', datatype: 'INT32', shape: [bytes / 4], data }];
};

/** As many answers as the input says; below 0 it fails after that many, above 1000 the answers are large and never end. */
function countTo(times: number): OipAnswer {
  if (times > 1_000) return answerParts(endless());
  return times < 0
    ? answerParts(untilSeen(-times), 13, 'a worker died')
    : answerParts(Array.from({ length: times }, (_, i) => part(i)));
}

/** What the client of the failing answers has seen; a status that is an error may overtake what was not read yet. */
let seen = Promise.withResolvers<void>();

async function* untilSeen(times: number): AsyncGenerator<OipTensor[]> {
  for (let i = 0; i < times; i++) yield part(i);
  await seen.promise;
  seen = Promise.withResolvers<void>();
}

function* endless(): Generator<OipTensor[]> {
  for (let i = 0; ; i++) yield part(i, 262_144);
}

let server: OipServer;
let gateway: GatewayUnderTest;
let streams: StreamCaller;
let alpha: string;

beforeAll(async () => {
  server = await startOipServer({
    models: [COUNT],
    onInfer: (call) => countTo(Buffer.from(call.inputs[0]!.data).readInt32LE()),
  });
  gateway = await startGateway({
    tenants: TENANTS,
    models: {
      count: {
        timeoutMs: 10_000,
        cache: { ttlMs: 60_000 },
        variants: [{ ...grpcVariant('v1', 'stable', server.address), price: { version: 'p', perRequestUsd: 0.001 } }],
      },
    },
  });
  alpha = gateway.keys['alpha']!;
  streams = new StreamCaller(gateway.grpcAddress);
});

afterAll(async () => {
  streams.close();
  await gateway.stop();
  await server.close();
});

const times = (count: number): Buffer => Buffer.from(Int32Array.of(count).buffer);
const ask = (id: string, count: number, parameters: object = {}): object => ({
  model_name: 'count',
  id,
  inputs: [{ name: 'times', datatype: 'INT32', shape: [1] }],
  raw_input_contents: [times(count)],
  parameters,
});

const nthOf = (response: Readonly<Record<string, unknown>>): number =>
  Buffer.from((response['raw_output_contents'] as Buffer[])[0]!).readInt32LE();

const post = (path: string, body: object): Promise<Response> =>
  fetch(`${gateway.httpUrl}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${alpha}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

describe('a decoupled model over ModelStreamInfer', () => {
  it('answers each request as often as the model does, in order and under its own id', async () => {
    const stream = new InferStream(streams, alpha);
    stream.send(ask('three', 3));
    stream.send(ask('none', 0));
    stream.send(ask('five', 5));
    await stream.call.messages(8);
    stream.end();
    expect((await stream.call.status).code).toBe(0);
    const nths = (id: string): number[] =>
      stream.answers.filter((answer) => answer.id === id).map(({ response }) => nthOf(response));
    expect([nths('three'), nths('none'), nths('five')]).toEqual([[0, 1, 2], [], [0, 1, 2, 3, 4]]);
    expect(stream.answers).toHaveLength(8);
    expect(stream.answers[0]!.parameters['triton_final_response']).toBeUndefined();
  });

  it('marks the end for whoever asks for it, with what all of it cost', async () => {
    const stream = new InferStream(streams, alpha);
    const parameters = { triton_enable_empty_final_response: { bool_param: true } };
    stream.send(ask('two', 2, parameters));
    stream.send(ask('zero', 0, parameters));
    await stream.call.messages(4);
    stream.end();
    const marks = (id: string): unknown[] =>
      stream.answers.filter((answer) => answer.id === id).map(({ parameters: of }) => of['triton_final_response']);
    expect([marks('two'), marks('zero')]).toEqual([[false, false, true], [true]]);
    const last = stream.answers.findLast(({ id }) => id === 'two')!;
    expect(last.response['outputs']).toEqual([]);
    expect(last.parameters['x-sluice-cost-nano-usd']).toBe('1000000');
  });

  it('tells a failure after the answers that came before it, and the stream goes on', async () => {
    const stream = new InferStream(streams, alpha);
    stream.send(ask('bad', -2));
    await stream.call.messages(2);
    seen.resolve();
    await stream.call.messages(3);
    stream.send(ask('good', 1));
    await stream.call.messages(4);
    stream.end();
    expect(stream.answers.map(({ id, error }) => [id, error])).toEqual([
      ['bad', ''],
      ['bad', ''],
      ['bad', 'The backend failed.'],
      ['good', ''],
    ]);
  });

  it('stops the model when the client leaves', async () => {
    const before = server.cancels.length;
    const stream = new InferStream(streams, alpha);
    stream.send(ask('endless', 2_000));
    await stream.call.messages(2);
    stream.call.call.cancel();
    await server.cancelled(before + 1);
  });
});

describe('a decoupled model over generate_stream', () => {
  it('sends one event for each answer', async () => {
    const response = await post('/v2/models/count/generate_stream', { times: 3, id: 'g' });
    expect([response.status, response.headers.get('content-type'), response.headers.get('x-sluice-variant')]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
      'v1',
    ]);
    const events = (await response.text()).trim().split('\n\n');
    expect(events.map((event) => JSON.parse(event.replace('data: ', '')))).toEqual(
      [0, 1, 2].map((nth) => ({ id: 'g', model_name: 'count', model_version: 'v1', nth })),
    );
  });

  it('sends nothing where the model has nothing to say', async () => {
    const response = await post('/v2/models/count/generate_stream', { times: 0 });
    expect([response.status, await response.text()]).toEqual([200, '']);
  });

  it('tells a failure in an event of its own, behind the answers that came', async () => {
    const response = await post('/v2/models/count/generate_stream', { times: -1 });
    // The head goes out with the first answer.
    seen.resolve();
    const text = await response.text();
    expect(text.trim().split('\n\n').slice(1)).toEqual([
      'event: error\ndata: {"error":"The backend failed.","code":"BACKEND_FAILED"}',
    ]);
    expect(text).toContain('"nth":0');
    const first = await post('/v2/models/count/generate_stream', { times: 'many' });
    expect(first.status).toBe(400);
  });

  it('keeps the model waiting for a client that does not read, and stops it when that client leaves', async () => {
    const sentBefore = server.partsSent;
    const cancelsBefore = server.cancels.length;
    const url = new URL(gateway.httpUrl);
    const socket = connect(Number(url.port), url.hostname);
    socket.pause();
    const body = JSON.stringify({ times: 2_000 });
    socket.write(
      `POST /v2/models/count/generate_stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${alpha}\r\n` +
        `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    await eventually('the model at work', () => server.partsSent > sentBefore);
    let before = -1;
    let stillFor = 0;
    await eventually('a model that waits', () => {
      stillFor = server.partsSent === before ? stillFor + 1 : 0;
      before = server.partsSent;
      return stillFor > 10;
    });
    // Buffers of three sockets and two windows, in pieces of a quarter of a MiB.
    expect(server.partsSent - sentBefore).toBeLessThan(128);
    socket.destroy();
    await server.cancelled(cancelsBefore + 1);
  });
});

describe('a decoupled model, asked for one answer', () => {
  it('is not asked, and the caller is told where to ask', async () => {
    const calls = server.callCount;
    const inputs = [{ name: 'times', datatype: 'INT32', shape: [1], data: [2] }];
    const rest = await post('/v2/models/count/infer', { inputs });
    expect([rest.status, await rest.text()]).toEqual([501, expect.stringMatching(/ModelStreamInfer.*generate_stream/)]);
    expect((await post('/v2/models/count/generate', { times: 2 })).status).toBe(501);
    expect((await post('/v1/models/count:predict', { instances: [2] })).status).toBe(501);
    const caller = new GrpcCaller(gateway.grpcAddress, alpha);
    const unary = await caller.call('ModelInfer', ask('u', 2));
    expect([unary.code, unary.details]).toEqual([12, expect.stringContaining('ModelStreamInfer')]);
    const config = await caller.call('ModelConfig', { name: 'count' });
    expect(config.message).toMatchObject({ config: { model_transaction_policy: { decoupled: true } } });
    caller.close();
    expect(server.callCount).toBe(calls);
  });

  it('leaves nothing in flight, and every request on the books', async () => {
    interface Backends {
      plans: { model: string; variants: { inFlight: number }[] }[];
    }
    await eventually('no call in flight', async () => {
      const { plans } = await admin<Backends>(gateway, 'GET', 'plans');
      return plans.every(({ variants }) => variants.every(({ inFlight }) => inFlight === 0));
    });
  });
});
