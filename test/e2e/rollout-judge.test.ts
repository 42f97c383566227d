import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlanView } from '../../src/core/control-plane.ts';
import type { RolloutView } from '../../src/core/rollout.ts';
import { GrpcCaller, inferRest } from '../support/clients.ts';
import { grpcVariant, onnxVariant, TENANTS } from '../support/configs.ts';
import { admin, eventually, type GatewayUnderTest, startGateway } from '../support/gateway-under-test.ts';
import {
  answerAfter,
  answerOutputs,
  answerStatus,
  type OipAnswer,
  type OipServer,
  startOipServer,
} from '../support/oip-server.ts';

const MODEL = {
  name: 'm',
  inputs: [{ name: 'x', datatype: 'FP32' as const, shape: [-1, 2] }],
  outputs: [{ name: 'y', datatype: 'FP32' as const, shape: [-1, 2] }],
};
const RIGHT = answerOutputs([{ name: 'y', datatype: 'FP32', shape: [1, 2], data: Buffer.from(new Float32Array([1, 0]).buffer) }]);
const serve = (onInfer: () => OipAnswer | Promise<OipAnswer>): Promise<OipServer> => startOipServer({ models: [MODEL], onInfer });

/** Another model under the signature of `digits`, and sure that every picture is a nine. */
const NINES = {
  name: 'digits',
  inputs: [{ name: 'image', datatype: 'FP32' as const, shape: [-1, 28, 28] }],
  outputs: [
    { name: 'probabilities', datatype: 'FP32' as const, shape: [-1, 10] },
    { name: 'label', datatype: 'INT64' as const, shape: [-1] },
  ],
};
const NINE = answerOutputs([
  {
    name: 'probabilities',
    datatype: 'FP32',
    shape: [1, 10],
    data: Buffer.from(Float32Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 1).buffer),
  },
  { name: 'label', datatype: 'INT64', shape: [1], data: Buffer.from(BigInt64Array.of(9n).buffer) },
]);

let servers: Record<'steady' | 'good' | 'failing' | 'slow' | 'nines', OipServer>;
let gateway: GatewayUnderTest;
let caller: GrpcCaller;

/** Tolerances that leave the judge what the servers differ in. */
const ANY = { latency: 1_000, cost: 1_000, maxDisagreement: 1 };
const QUICK = { lookMs: 100, holdMs: 500, minRequests: 20 };

beforeAll(async () => {
  const [steady, good, failing, slow, nines] = await Promise.all([
    serve(() => RIGHT),
    serve(() => RIGHT),
    serve(() => answerStatus(13, 'broken')),
    serve(() => answerAfter(25, RIGHT)),
    startOipServer({ models: [NINES], onInfer: () => NINE }),
  ]);
  servers = { steady, good, failing, slow, nines };
  const model = (canary: OipServer, rollout: object): object => ({
    rollout: { ...QUICK, ...rollout },
    variants: [
      grpcVariant('v1', 'stable', steady.address, {}, { model: 'm' }),
      grpcVariant('v2', 'canary', canary.address, {}, { model: 'm' }),
    ],
  });
  gateway = await startGateway({
    workers: 2,
    tenants: TENANTS,
    models: {
      good: model(good, { tolerance: { ...ANY, errors: 0.1 }, steps: [5, 50, 100].map((percent) => ({ percent })) }),
      failing: model(failing, { tolerance: ANY, steps: [{ percent: 1 }, { percent: 100 }] }),
      slow: model(slow, { tolerance: { ...ANY, latency: 0.5, errors: 1 }, steps: [{ percent: 20 }, { percent: 100 }] }),
      unsure: model(good, { tolerance: { ...ANY, errors: 0.0001 }, steps: [{ percent: 50 }, { percent: 100 }] }),
      digits: {
        rollout: { ...QUICK, tolerance: { ...ANY, errors: 0.2 }, steps: [{ percent: 50 }, { percent: 100 }] },
        variants: [onnxVariant('v1', 'stable', 'digits/v1.onnx'), onnxVariant('v2', 'canary', 'digits/v2.onnx')],
      },
      // As config is by default but for the latency: another process under another load.
      wrong: {
        rollout: { lookMs: 250, tolerance: { latency: 1_000 } },
        variants: [
          onnxVariant('v1', 'stable', 'digits/v1.onnx'),
          grpcVariant('v2', 'canary', nines.address, {}, { model: 'digits' }),
        ],
      },
    },
  });
  caller = new GrpcCaller(gateway.grpcAddress, gateway.keys['alpha']!);
});

afterAll(async () => {
  caller.close();
  expect(await gateway.stop()).toBe(0);
  await Promise.all(Object.values(servers).map((server) => server.close()));
});

const X = { name: 'x', datatype: 'FP32', shape: [1, 2], data: [0, 0] };
const IMAGE = { name: 'image', datatype: 'FP32', shape: [1, 28, 28], data: new Array<number>(784).fill(0) };

const IMAGES: ReadonlySet<string> = new Set(['digits', 'wrong']);

async function latest(model: string): Promise<RolloutView> {
  const { rollouts } = await admin<{ rollouts: readonly RolloutView[] }>(gateway, 'GET', `rollouts?model=${model}`);
  return rollouts[0]!;
}

async function share(model: string): Promise<number> {
  const plan = await admin<PlanView>(gateway, 'GET', `plans/${model}`);
  return plan.variants.find(({ name }) => name === 'v2')!.weightBp;
}

/** One request, over gRPC or REST. */
async function isAnswered(model: string, overGrpc: boolean): Promise<boolean> {
  const input = IMAGES.has(model) ? IMAGE : X;
  if (overGrpc) {
    const { name, datatype, shape } = input;
    return (
      (await caller.infer(model, [{ name, datatype, shape, raw: Buffer.from(new Float32Array(input.data).buffer) }])).code === 0
    );
  }
  return (await inferRest(gateway, { key: gateway.keys['alpha']!, model, inputs: [input] })).status === 200;
}

/** Asks for `model` from many callers at the same time until `holds`, and counts what failed. */
async function callUntil(model: string, holds: (view: RolloutView) => boolean, limitMs = 45_000): Promise<number> {
  let failed = 0;
  let over = false;
  const untilMs = Date.now() + limitMs;
  const call = async (_: unknown, number: number): Promise<void> => {
    while (!over && Date.now() < untilMs) {
      if (!(await isAnswered(model, number % 2 === 0))) failed++;
    }
  };
  const calls = Array.from({ length: 16 }, call);
  await eventually(`${model} to come to its end`, async () => holds(await latest(model)), limitMs).finally(() => (over = true));
  await Promise.all(calls);
  return failed;
}

const start = (model: string): Promise<RolloutView> => admin(gateway, 'POST', 'rollouts', { model, reason: 'new model' });

describe('a rollout that judges itself', () => {
  it('brings a good canary to all traffic', async () => {
    await start('good');
    await callUntil('good', ({ state }) => state !== 'running');
    expect([(await latest('good')).state, await share('good')]).toEqual(['completed', 10_000]);
  });

  it('rolls a canary back that fails, at one percent and before it has hurt many', async () => {
    await start('failing');
    const failed = await callUntil('failing', ({ state }) => state !== 'running');
    const view = await latest('failing');
    expect([view.state, await share('failing')]).toEqual(['rolled-back', 0]);
    expect(failed).toBeLessThan(500);
    expect(view.judgement!.metrics.find(({ metric }) => metric === 'errors')).toMatchObject({ verdict: 'harm' });
  });

  it('rolls a canary back that is slow', async () => {
    await start('slow');
    await callUntil('slow', ({ state }) => state !== 'running');
    expect([(await latest('slow')).state, await share('slow')]).toEqual(['rolled-back', 0]);
  });

  it('rolls a canary back that answers at once and wrongly, at one percent and before it has told many', async () => {
    await start('wrong');
    const asked = servers.nines.callCount;
    expect(await callUntil('wrong', ({ state }) => state !== 'running')).toBe(0);
    const view = await latest('wrong');
    expect([view.state, await share('wrong')]).toEqual(['rolled-back', 0]);
    expect(view.judgement!.metrics.find(({ metric }) => metric === 'disagreement')).toMatchObject({ verdict: 'harm' });
    // Answers to callers and to mirrors together.
    expect(servers.nines.callCount - asked).toBeLessThan(500);
    expect(view.transitions.at(-1)).toMatchObject({
      to: 'rolled-back',
      step: 0,
      reason: expect.stringContaining('disagreement'),
    });
  });

  it('holds one that it cannot be sure of', async () => {
    await start('unsure');
    const sinceMs = Date.now();
    await callUntil('unsure', ({ state }) => state !== 'running' || Date.now() - sinceMs > 4_000);
    expect([(await latest('unsure')).state, await share('unsure')]).toEqual(['running', 5_000]);
    await admin(gateway, 'POST', `rollouts/${(await latest('unsure')).id}/abort`);
  });

  it('judges models in this process too', async () => {
    await start('digits');
    await callUntil('digits', ({ state }) => state !== 'running');
    expect([(await latest('digits')).state, await share('digits')]).toEqual(['completed', 10_000]);
  });
});
