import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FaultScene, MODEL, PRICE_NANO, WAYS } from '../support/fault-scene.ts';
import { echo } from '../support/oip-http-server.ts';
import { answerEcho, answerStatus } from '../support/oip-server.ts';
import { answerJson } from '../support/scripted-http-server.ts';

/** After a fault heals; five times what is promised. */
const RECOVERY_LIMIT_MS = 25_000;
const ASKED = 40;
const UNAVAILABLE = 14;

describe('a backend that refuses connections', () => {
  let scene: FaultScene;
  beforeAll(async () => {
    scene = await FaultScene.start({ model: { timeoutMs: 5_000 } });
  });
  afterEach(() => scene.heal());
  afterAll(async () => expect(await scene.stop()).toBe(0));

  it.each(WAYS)(
    'is told to a caller of %s in front of %s as unavailable, with a time to wait, and comes back',
    async (face, kind) => {
      expect((await scene.ask(face, kind)).code).toBe('OK');
      const before = await scene.usage(kind);
      await scene.proxies[kind].refuse();
      for (let i = 0; i < 5; i++) {
        const told = await scene.ask(face, kind);
        expect(told.code, told.text).toBe('BACKEND_UNREACHABLE');
        expect(told.status).toBe(face === 'rest' ? 503 : UNAVAILABLE);
        expect(Number(told.retryAfter)).toBeGreaterThan(0);
      }
      await scene.idle();
      const after = await scene.usage(kind);
      expect([after.failures - before.failures, after.costNano - before.costNano]).toEqual([5, 0]);
      await scene.heal();
      expect(await scene.recoveryMs(face, kind)).toBeLessThan(RECOVERY_LIMIT_MS);
    },
  );
});

describe('a canary', () => {
  let scene: FaultScene;
  beforeAll(async () => {
    scene = await FaultScene.start({ canary: true });
  });
  afterEach(() => scene.heal());
  afterAll(async () => expect(await scene.stop()).toBe(0));

  /** Answers of the faulty time are all good, come from stable, and are billed once each. */
  async function costsNobody(face: 'rest' | 'grpc', kind: 'http' | 'grpc'): Promise<void> {
    const before = await scene.usage(kind);
    const told = await Promise.all(Array.from({ length: ASKED }, () => scene.ask(face, kind)));
    expect(told.map(({ code, variant }) => `${code} ${variant}`)).toEqual(new Array(ASKED).fill('OK healthy'));
    await scene.idle();
    const after = await scene.usage(kind);
    expect(after.requests - before.requests).toBe(ASKED);
    expect(after.costNano - before.costNano).toBe(ASKED * PRICE_NANO);
  }

  it.each(WAYS)('that refuses connections costs no request over %s in front of %s, and comes back', async (face, kind) => {
    expect((await scene.ask(face, kind)).variant).toBe('v1');
    await scene.proxies[kind].refuse();
    await costsNobody(face, kind);
    await scene.heal();
    expect(await scene.recoveryMs(face, kind)).toBeLessThan(RECOVERY_LIMIT_MS);
  });

  it.each([['rest'], ['grpc']] as const)('that answers UNAVAILABLE or 503 costs no request over %s', async (face) => {
    await scene.recover();
    // Stable is the same server, asked for a model of its own.
    const asked = { canary: 0, stable: 0 };
    const isCanarys = (call: { readonly model: string }): boolean => {
      const canary = call.model === MODEL.name;
      asked[canary ? 'canary' : 'stable']++;
      return canary;
    };
    scene.behave({
      grpc: (call, model) => (isCanarys(call) ? answerStatus(UNAVAILABLE) : answerEcho(call, model)),
      http: (call, model) => (isCanarys(call) ? answerJson({ error: 'not now' }, 503) : echo(call, model)),
    });
    for (const kind of ['grpc', 'http'] as const) {
      for (let i = 0; i < 5; i++) {
        const told = await scene.ask(face, kind);
        expect([told.code, told.variant]).toEqual(['OK', 'healthy']);
      }
    }
    expect(asked.stable).toBe(10);
    // Three open its circuit, or fewer with a probe that fails; then it is tried once a while.
    expect(asked.canary).toBeGreaterThanOrEqual(2);
    expect(asked.canary).toBeLessThanOrEqual(10);
  });
});
