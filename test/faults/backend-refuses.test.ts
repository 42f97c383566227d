import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Face, FaultScene, type Kind, WAYS } from '../support/fault-scene.ts';
import { answerStatus } from '../support/oip-server.ts';
import { answer } from '../support/scripted-http-server.ts';

const CANARY = 'words-of-the-backend-7f3a';
const INVALID_ARGUMENT = 3;
const RESOURCE_EXHAUSTED = 8;
const OUT_OF_RANGE = 11;
const ASKED = 50;

let scene: FaultScene;
beforeAll(async () => {
  // The canary has all the weight: what it may not pass on to stable shows at once.
  scene = await FaultScene.start({ canary: true });
});
afterEach(() => scene.heal());
afterAll(async () => expect(await scene.stop()).toBe(0));

const busy = (): void =>
  scene.behave({
    http: () => answer(429, `{"error":"${CANARY}"}`, { 'retry-after': '7' }),
    grpc: () => answerStatus(RESOURCE_EXHAUSTED, CANARY),
  });

const wrong = (http: number, grpc: number): void =>
  scene.behave({ http: () => answer(http, `{"error":"${CANARY}"}`), grpc: () => answerStatus(grpc, CANARY) });

/** Each request reaches a server once, whatever it answers. */
async function askEach(face: Face, kind: Kind) {
  const calls = scene.calls(kind);
  const all = await Promise.all(Array.from({ length: ASKED }, () => scene.ask(face, kind)));
  expect(scene.calls(kind) - calls).toBe(ASKED);
  return all;
}

describe('a backend that takes no more for now', () => {
  it.each(WAYS)(
    'is told to callers of %s in front of %s as busy, with a time to wait, and is not asked again',
    async (face, kind) => {
      busy();
      for (const told of await askEach(face, kind)) {
        expect([told.code, told.status]).toEqual(['BACKEND_BUSY', face === 'rest' ? 429 : RESOURCE_EXHAUSTED]);
        expect(Number(told.retryAfter)).toBeGreaterThan(0);
        expect(told.text).not.toContain(CANARY);
      }
      await scene.heal();
      expect((await scene.ask(face, kind)).code).toBe('OK');
    },
  );
});

describe('a backend that takes the input for wrong', () => {
  it.each(WAYS)('is told to callers of %s in front of %s as their own fault, and is not asked again', async (face, kind) => {
    for (const [http, grpc] of [
      [400, INVALID_ARGUMENT],
      [422, OUT_OF_RANGE],
    ] as const) {
      wrong(http, grpc);
      const before = await scene.usage(kind);
      for (const told of await askEach(face, kind)) {
        expect([told.code, told.status]).toEqual(['BACKEND_REFUSED', face === 'rest' ? 400 : INVALID_ARGUMENT]);
        expect([told.retryAfter, told.text.includes(CANARY)]).toEqual(['', false]);
      }
      expect((await scene.usage(kind)).costNano).toBe(before.costNano);
    }
    await scene.heal();
    // It is as well as ever: nothing was opened, ejected or slowed down.
    expect(await scene.ask(face, kind)).toMatchObject({ code: 'OK', variant: 'v1' });
  });

  it.each(WAYS)('by a status that says nothing of it is a failure of the backend over %s in front of %s', async (face, kind) => {
    for (const [http, grpc] of [
      [500, 13],
      [404, 5],
      [418, 2],
      [302, 9],
    ] as const) {
      // A good answer between them, or three in a row would open the circuit.
      await scene.heal();
      expect(await scene.ask(face, kind)).toMatchObject({ code: 'OK', variant: 'v1' });
      wrong(http, grpc);
      const calls = scene.calls(kind);
      const told = await scene.ask(face, kind);
      expect([told.code, told.status]).toEqual(['BACKEND_FAILED', face === 'rest' ? 502 : 14]);
      expect([scene.calls(kind) - calls, told.text.includes(CANARY)]).toEqual([1, false]);
    }
  });
});
