import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { underLoad } from '../support/fault-load.ts';
import { type Face, FaultScene, type Kind, PRICE_NANO, type Told, WAYS } from '../support/fault-scene.ts';
import { eventually } from '../support/gateway-under-test.ts';
import { jsonOutputs } from '../support/oip-http-server.ts';
import type { OipTensor } from '../support/oip-messages.ts';
import { answerOutputs, answerStatus } from '../support/oip-server.ts';
import { answer, answerJson } from '../support/scripted-http-server.ts';

/** After a fault heals; five times what is promised. */
const RECOVERY_LIMIT_MS = 25_000;
/** A circuit opens within a second; five times that. */
const EJECTION_LIMIT_MS = 5_000;
const CANARY = 'words-of-the-backend-7f3a';
const UNAVAILABLE = 14;
const RESOURCE_EXHAUSTED = 8;
const INTERNAL = 13;
/** As many callers at once as the budget of retries has room for when they all meet the fault together. */
const CALLERS = 4;
const OUT = ['ejected', 'unhealthy', 'probation'];

let scene: FaultScene;
beforeAll(async () => {
  scene = await FaultScene.start({ twins: true, http: { slowStartMs: 0 }, grpc: { slowStartMs: 0 } });
});
afterEach(async () => {
  await scene.heal();
  // The next test finds both endpoints in use.
  for (const [face, kind] of [
    ['rest', 'http'],
    ['grpc', 'grpc'],
  ] as const)
    await isBack(face, kind);
});
afterAll(async () => expect(await scene.stop()).toBe(0));

/** Asks until the endpoint that had the fault is in use again. */
async function isBack(face: Face, kind: Kind): Promise<void> {
  const startedMs = performance.now();
  await eventually(
    `the faulty endpoint of ${kind} is back`,
    async () => {
      await underLoad(scene, { face, kind, callers: CALLERS }, async () => undefined);
      return (await scene.faulty(kind)).state === 'healthy';
    },
    RECOVERY_LIMIT_MS,
  );
  const calls = scene.calls(kind);
  await eventually('it is called', async () => {
    await scene.ask(face, kind);
    return scene.calls(kind) > calls;
  });
  expect(performance.now() - startedMs).toBeLessThan(RECOVERY_LIMIT_MS);
}

/** Under load all along: no caller notices, each answer is billed once, and the endpoint is left out in time. */
async function costsNobody(face: Face, kind: Kind, begin: () => Promise<void> | void): Promise<void> {
  const before = await scene.usage(kind);
  let ejectedAfterMs = 0;
  const told = await underLoad(scene, { face, kind, callers: CALLERS }, async () => {
    // So that the budget knows some requests.
    await new Promise((done) => setTimeout(done, 500));
    await begin();
    const startedMs = performance.now();
    await eventually('it is left out', async () => OUT.includes((await scene.faulty(kind)).state));
    ejectedAfterMs = performance.now() - startedMs;
    await new Promise((done) => setTimeout(done, 1_500));
  });
  expect(told.filter(({ code }) => code !== 'OK').map(({ text }) => text)).toEqual([]);
  expect(ejectedAfterMs).toBeLessThan(EJECTION_LIMIT_MS);
  await scene.idle();
  const after = await scene.usage(kind);
  expect(after.requests - before.requests).toBe(told.length);
  expect(after.costNano - before.costNano).toBe(told.length * PRICE_NANO);
}

const totalCalls = (kind: Kind): number => scene.calls(kind) + scene.twinCalls(kind);

describe('one of two endpoints', () => {
  it.each(WAYS)(
    'that refuses connections costs no request over %s in front of %s, is left out, and comes back',
    async (face, kind) => {
      await costsNobody(face, kind, () => scene.proxies[kind].refuse());
      await scene.heal();
      await isBack(face, kind);
    },
  );

  it.each(WAYS)(
    'that answers UNAVAILABLE or 503 costs no request over %s in front of %s, is left out, and comes back',
    async (face, kind) => {
      await costsNobody(face, kind, () =>
        scene.behave({ grpc: () => answerStatus(UNAVAILABLE, CANARY), http: () => answerJson({ error: CANARY }, 503) }),
      );
      await scene.heal();
      await isBack(face, kind);
    },
  );

  it.each(WAYS)('that refuses from the first request on costs not even that one over %s in front of %s', async (face, kind) => {
    await scene.proxies[kind].refuse();
    for (let i = 0; i < 20; i++) {
      const told = await scene.ask(face, kind);
      expect(told.code, told.text).toBe('OK');
    }
    expect(OUT).toContain((await scene.faulty(kind)).state);
  });
});

/** A place near the end of an answer, where an HTTP head is over: before that its client may dial again by itself. */
const amid = async (kind: Kind): Promise<number> => Math.floor((await answerBytes(kind)) * 0.9);

/** Bytes that an answer takes at least on a connection that stands. */
async function answerBytes(kind: Kind): Promise<number> {
  const sizes: number[] = [];
  while (sizes.length < 3) {
    const before = scene.proxies[kind].bytes('answer');
    const calls = scene.calls(kind);
    await scene.ask('rest', kind);
    if (scene.calls(kind) > calls) sizes.push(scene.proxies[kind].bytes('answer') - before);
  }
  return Math.min(...sizes);
}

describe('an endpoint whose connection is reset amid an answer', () => {
  it.each(WAYS)('has it asked again at the other, over %s in front of %s, and charged once', async (face, kind) => {
    const at = await amid(kind);
    const before = await scene.usage(kind);
    const calls = { faulty: scene.calls(kind), all: totalCalls(kind) };
    scene.proxies[kind].set('answer', { is: 'reset', at });
    const told: Told[] = [];
    while (scene.calls(kind) === calls.faulty) told.push(await scene.ask(face, kind));
    scene.proxies[kind].set('answer', { is: 'none' });
    expect(told.map(({ code, text }) => (code === 'OK' ? code : text))).toEqual(told.map(() => 'OK'));
    expect(totalCalls(kind) - calls.all).toBe(told.length + 1);
    await scene.idle();
    const after = await scene.usage(kind);
    expect([after.requests - before.requests, after.failures - before.failures]).toEqual([told.length, 0]);
    expect(after.costNano - before.costNano).toBe(told.length * PRICE_NANO);
  });

  it.each(WAYS)('fails a sequence over %s in front of %s, which is not asked again anywhere', async (face, kind) => {
    const at = await amid(kind);
    const before = await scene.usage(kind);
    const calls = { faulty: scene.calls(kind), all: totalCalls(kind) };
    scene.proxies[kind].set('answer', { is: 'reset', at });
    const told: Told[] = [];
    // Each sequence has its endpoint: one after another until one has this.
    while (scene.calls(kind) === calls.faulty) told.push(await scene.ask(face, kind, {}, 1, 1 + told.length));
    scene.proxies[kind].set('answer', { is: 'none' });
    expect(told.pop()!.code).toMatch(/^BACKEND_(FAILED|UNREACHABLE)$/);
    expect(told.map(({ code }) => code)).toEqual(told.map(() => 'OK'));
    expect(totalCalls(kind) - calls.all).toBe(told.length + 1);
    await scene.idle();
    const after = await scene.usage(kind);
    expect([after.failures - before.failures, after.costNano - before.costNano]).toEqual([1, told.length * PRICE_NANO]);
  });
});

const lie: readonly OipTensor[] = [{ name: CANARY, datatype: 'FP32', shape: [1, 2], data: Buffer.alloc(8) }];

describe('an endpoint that lies', () => {
  it.each(WAYS)('is left out after three answers over %s in front of %s, none of which is passed on', async (face, kind) => {
    const ejections = (await scene.faulty(kind)).ejections;
    const calls = scene.calls(kind);
    scene.behave({ http: () => jsonOutputs(lie), grpc: () => answerOutputs(lie) });
    const told: Told[] = [];
    await eventually('it is ejected', async () => {
      told.push(await scene.ask(face, kind));
      return (await scene.faulty(kind)).state === 'ejected';
    });
    expect([scene.calls(kind) - calls, (await scene.faulty(kind)).ejections - ejections]).toEqual([3, 1]);
    const lies = told.filter(({ code }) => code !== 'OK');
    expect(lies.map(({ code, status }) => `${code} ${status}`)).toEqual(
      new Array(3).fill(`BACKEND_LIED ${face === 'rest' ? 502 : INTERNAL}`),
    );
    expect(told.filter(({ text }) => text.includes(CANARY))).toEqual([]);
    expect((await scene.ask(face, kind)).code).toBe('OK');
  });
});

describe('an endpoint that takes no more for now', () => {
  it.each(WAYS)('is not asked twice over %s in front of %s, nor is the other in its place', async (face, kind) => {
    scene.behave({
      http: () => answer(429, `{"error":"${CANARY}"}`, { 'retry-after': '7' }),
      grpc: () => answerStatus(RESOURCE_EXHAUSTED, CANARY, { 'grpc-retry-pushback-ms': '7000' }),
    });
    const calls = { faulty: scene.calls(kind), all: totalCalls(kind) };
    const told = await underLoad(scene, { face, kind, callers: CALLERS }, () => new Promise((done) => setTimeout(done, 1_000)));
    const busy = told.filter(({ code }) => code !== 'OK');
    expect(busy.length).toBeGreaterThan(0);
    for (const { code, status, retryAfter, text } of busy) {
      expect([code, status, retryAfter]).toEqual(['BACKEND_BUSY', face === 'rest' ? 429 : RESOURCE_EXHAUSTED, '7']);
      expect(text).not.toContain(CANARY);
    }
    expect([scene.calls(kind) - calls.faulty, totalCalls(kind) - calls.all]).toEqual([busy.length, told.length]);
    // To be busy is no fault of a server.
    expect((await scene.faulty(kind)).state).toBe('healthy');
  });
});
