import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GrpcCaller, inferRest, rawOutputs } from '../support/clients.ts';
import { grpcVariant, TENANTS } from '../support/configs.ts';
import { admin, eventually, type GatewayUnderTest, metric, startGateway } from '../support/gateway-under-test.ts';
import { answerOutputs, type OipServer, startOipServer } from '../support/oip-server.ts';

const MODEL = {
  name: 'm',
  inputs: [{ name: 'x', datatype: 'FP32' as const, shape: [-1, -1] }],
  outputs: [{ name: 'y', datatype: 'FP32' as const, shape: [-1] }],
};

let server: OipServer;
let gateway: GatewayUnderTest;
let calls = 0;
let release: (() => void)[] = [];
let holds = false;

beforeAll(async () => {
  // Every answer carries the number of its call, so that a wrong entry is seen.
  server = await startOipServer({
    models: [MODEL],
    onInfer: async (request) => {
      const mark = ++calls;
      if (holds) await new Promise<void>((done) => release.push(done));
      const rows = request.inputs[0]!.shape[0]!;
      return answerOutputs([
        { name: 'y', datatype: 'FP32' as const, shape: [rows], data: Buffer.from(new Float32Array(rows).fill(mark).buffer) },
      ]);
    },
  });
  const variants = [
    grpcVariant(
      'v1',
      'stable',
      server.address,
      { price: { version: 'a', perRequestUsd: 0.000005, perCacheHitUsd: 0.000001 } },
      { model: 'm' },
    ),
    grpcVariant('v2', 'canary', server.address, { weight: 50 }, { model: 'm' }),
  ];
  const guards = { input: [{ kind: 'bounds', name: 'small', max: 1_000_000 }] };
  gateway = await startGateway({
    tenants: TENANTS,
    models: {
      plain: { cache: { ttlMs: 600_000 }, variants },
      other: { cache: { ttlMs: 600_000 }, variants },
      guarded: { cache: { ttlMs: 600_000 }, guards, variants },
    },
  });
});

afterAll(async () => {
  expect(await gateway.stop()).toBe(0);
  await server.close();
});

interface Question {
  readonly tenant?: string;
  readonly model?: string;
  readonly shape?: readonly number[];
  readonly data?: readonly number[];
  readonly session?: string;
  readonly headers?: Record<string, string>;
}

/** The mark of the call that made the answer, and how the cache took part. */
async function ask(
  question: Question,
): Promise<{ mark: number; cache: string | null; variant: string | null; cost: string | null }> {
  const {
    tenant = 'alpha',
    model = 'plain',
    shape = [2, 3],
    data = [1, 2, 3, 4, 5, 6],
    session = 'one',
    headers = {},
  } = question;
  const answer = await inferRest(gateway, {
    key: gateway.keys[tenant]!,
    model,
    inputs: [{ name: 'x', datatype: 'FP32', shape, data }],
    headers: { 'x-sluice-session': session, ...headers },
  });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  const mark = (answer.body['outputs'] as { data: number[] }[])[0]!.data[0]!;
  const { headers: got } = answer;
  return {
    mark,
    cache: got.get('x-sluice-cache'),
    variant: got.get('x-sluice-variant'),
    cost: got.get('x-sluice-cost-nano-usd'),
  };
}

describe('the cache', () => {
  it('answers an equal request of the same tenant from memory at its own price, over both faces', async () => {
    const first = await ask({});
    expect(first.cache).toBe('miss');
    const second = await ask({});
    expect([second.mark, second.cache]).toEqual([first.mark, 'hit']);
    if (first.variant === 'v1') expect([first.cost, second.cost]).toEqual(['5000', '1000']);
    const grpc = new GrpcCaller(gateway.grpcAddress, gateway.keys['alpha']!);
    const answer = await grpc.call(
      'ModelInfer',
      {
        model_name: 'plain',
        id: 'own',
        inputs: [{ name: 'x', datatype: 'FP32', shape: [2, 3] }],
        raw_input_contents: [Buffer.from(new Float32Array([1, 2, 3, 4, 5, 6]).buffer)],
      },
      { 'x-sluice-session': 'one' },
    );
    grpc.close();
    expect(answer.metadata.get('x-sluice-cache')).toEqual(['hit']);
    expect(answer.message['id']).toBe('own');
    expect(rawOutputs(answer)['y']!.readFloatLE(0)).toBe(first.mark);
  });

  it('never crosses tenant, model, variant, shape, data or guard policy', async () => {
    const base = await ask({ data: [9, 9, 9, 9, 9, 9] });
    const others: Question[] = [
      { tenant: 'beta' },
      { model: 'other' },
      { model: 'guarded' },
      { shape: [3, 2] },
      { shape: [6, 1] },
      { data: [9, 9, 9, 9, 9, 8] },
    ];
    for (const question of others) {
      const answer = await ask({ data: [9, 9, 9, 9, 9, 9], ...question });
      expect([answer.cache, answer.mark === base.mark], JSON.stringify(question)).toEqual(['miss', false]);
    }
    // Sessions on the other variant miss once, and then hit the entry of their own variant.
    const byVariant = new Map([[base.variant, base.mark]]);
    for (let i = 0; i < 40; i++) {
      const answer = await ask({ data: [9, 9, 9, 9, 9, 9], session: `s${i}` });
      const known = byVariant.get(answer.variant);
      if (known === undefined) expect(answer.cache).toBe('miss');
      else expect([answer.mark, answer.cache]).toEqual([known, 'hit']);
      byVariant.set(answer.variant, answer.mark);
    }
    expect(byVariant.size).toBe(2);
  });

  it('never lets the same bytes with another shape share an entry', async () => {
    const data = [6, 5, 4, 3, 2, 1];
    const shapes = [
      [2, 3],
      [3, 2],
      [1, 6],
      [6, 1],
    ];
    const grpc = new GrpcCaller(gateway.grpcAddress, gateway.keys['alpha']!);
    const raw = Buffer.from(new Float32Array(data).buffer);
    const askByGrpc = async (shape: readonly number[]): Promise<{ rows: number; mark: number; cache: string }> => {
      const request = { model_name: 'plain', inputs: [{ name: 'x', datatype: 'FP32', shape }], raw_input_contents: [raw] };
      const answer = await grpc.call('ModelInfer', request, { 'x-sluice-session': 'one' });
      expect(answer.code, answer.details).toBe(0);
      const y = rawOutputs(answer)['y']!;
      return { rows: y.length / 4, mark: y.readFloatLE(0), cache: String(answer.metadata.get('x-sluice-cache')[0]) };
    };
    const marks: number[] = [];
    for (const shape of shapes) {
      const first = await ask({ data, shape });
      expect([shape, first.cache]).toEqual([shape, 'miss']);
      marks.push(first.mark);
    }
    expect(new Set(marks).size).toBe(shapes.length);
    // Over gRPC the bytes of all of them are the very same message field.
    for (const [i, shape] of shapes.entries()) {
      expect(await askByGrpc(shape)).toEqual({ rows: shape[0], mark: marks[i], cache: 'hit' });
    }
    grpc.close();
  });

  it('stays out of requests that forbid it, and refreshes for those that ask for it', async () => {
    const data = [7, 7, 7, 7, 7, 7];
    const first = await ask({ data });
    expect((await ask({ data, headers: { 'cache-control': 'no-store' } })).cache).toBe('bypass');
    const fresh = await ask({ data, headers: { 'cache-control': 'no-cache' } });
    expect([fresh.cache, fresh.mark > first.mark]).toEqual(['miss', true]);
    expect((await ask({ data })).mark).toBe(fresh.mark);
    expect((await ask({ data, headers: { 'x-sluice-variant': 'v1' } })).cache).toBe('bypass');
  });

  it('is emptied by a purge', async () => {
    await ask({ data: [3, 3, 3, 3, 3, 3] });
    expect(await admin(gateway, 'POST', 'cache/purge', { model: 'plain' })).toMatchObject({ purged: expect.any(Number) });
    expect((await ask({ data: [3, 3, 3, 3, 3, 3] })).cache).toBe('miss');
  });

  it('lets equal misses share one call, also when the first caller leaves', async () => {
    holds = true;
    release = [];
    const before = calls;
    const data = [8, 8, 8, 8, 8, 8];
    const leader = new AbortController();
    const body = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [2, 3], data }] });
    const left = fetch(`${gateway.httpUrl}/v2/models/plain/infer`, {
      method: 'POST',
      signal: leader.signal,
      headers: {
        authorization: `Bearer ${gateway.keys['alpha']}`,
        'content-type': 'application/json',
        'x-sluice-session': 'one',
      },
      body,
    }).catch(() => 'left');
    await eventually('the call at the backend', () => calls === before + 1);
    const followers = Array.from({ length: 5 }, () => ask({ data }));
    await eventually('all in flight', async () => (await metric(gateway, 'sluice_requests_in_flight')) === 6);
    leader.abort();
    expect(await left).toBe('left');
    holds = false;
    await eventually('the leader is gone', async () => (await metric(gateway, 'sluice_requests_in_flight')) >= 5);
    for (const done of release) done();
    const answers = await Promise.all(followers);
    expect(answers.map((answer) => [answer.cache, answer.mark])).toEqual(answers.map(() => ['shared', before + 1]));
    expect(calls).toBe(before + 1);
  });

  it('cancels the call when the last of those who shared it has left', async () => {
    holds = true;
    release = [];
    const before = server.callCount;
    const cancels = server.cancels.length;
    const body = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [2, 3], data: [4, 4, 4, 4, 4, 4] }] });
    const controllers = [new AbortController(), new AbortController()];
    const asks: Promise<unknown>[] = [];
    for (const [i, controller] of controllers.entries()) {
      asks.push(
        fetch(`${gateway.httpUrl}/v2/models/plain/infer`, {
          method: 'POST',
          signal: controller.signal,
          headers: {
            authorization: `Bearer ${gateway.keys['alpha']}`,
            'content-type': 'application/json',
            'x-sluice-session': 'one',
          },
          body,
        }).catch(() => null),
      );
      await eventually('in flight', async () => (await metric(gateway, 'sluice_requests_in_flight')) === i + 1);
    }
    expect(server.callCount).toBe(before + 1);
    for (const controller of controllers) controller.abort();
    await Promise.all(asks);
    await eventually('the cancel at the backend', () => server.cancels.length === cancels + 1);
    holds = false;
    for (const done of release) done();
    await eventually('no request in flight', async () => (await metric(gateway, 'sluice_requests_in_flight')) === 0);
  });
});
