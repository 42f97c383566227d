import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { atRate } from '../support/fault-load.ts';
import { FaultScene, type Kind, MODEL, type Told } from '../support/fault-scene.ts';
import { eventually } from '../support/gateway-under-test.ts';
import { echo } from '../support/oip-http-server.ts';
import { answerEcho } from '../support/oip-server.ts';

const UNAVAILABLE = 14;
/** A refusal takes less than 5 ms; this process adds to it, which is all callers and servers at once. */
const REFUSAL_LIMIT_MS = 25;
/** Ten seconds are promised. */
const RECOVERY_LIMIT_MS = 50_000;
const WORKERS = 16;
const QUICK_MS = 40;
const SLOW_MS = 10 * QUICK_MS;
/** A quarter of what the quick backend can do, and two and a half times what the slow one can. */
const PER_SECOND = 100;
/** For the limit to find the new latency, and for the line to get short. */
const SETTLING_MS = 10_000;
/** Twice a call is promised. */
const ADMITTED_LIMIT_MS = 5 * 2 * SLOW_MS;

/** A backend that works at so many calls at once; the others wait there. */
class Workers {
  takesMs = QUICK_MS;
  #busy = 0;
  readonly #waiting: (() => void)[] = [];

  async work<Answer>(answer: Answer): Promise<Answer> {
    if (this.#busy === WORKERS) await new Promise<void>((turn) => this.#waiting.push(turn));
    else this.#busy++;
    await new Promise((done) => setTimeout(done, this.takesMs));
    const next = this.#waiting.shift();
    if (next === undefined) this.#busy--;
    else next();
    return answer;
  }
}

const workers: Record<Kind, Workers> = { http: new Workers(), grpc: new Workers() };

describe('a backend that takes ten times as long', () => {
  let scene: FaultScene;
  beforeAll(async () => {
    // The limit and the line are as they are by default.
    scene = await FaultScene.start({ model: { timeoutMs: 10_000 }, config: { workers: 1 } });
    scene.behave({
      http: (call) => workers.http.work(echo(call, MODEL)),
      grpc: (call) => workers.grpc.work(answerEcho(call, MODEL)),
    });
  });
  afterEach(() => {
    for (const each of Object.values(workers)) each.takesMs = QUICK_MS;
  });
  afterAll(async () => expect(await scene.stop()).toBe(0));

  it.each([
    ['rest', 'http'],
    ['grpc', 'grpc'],
  ] as const)(
    'sheds the excess of %s in front of %s at once, costs no other model anything, and takes all again',
    async (face, kind) => {
      const allAreServed = (): Promise<void> =>
        eventually(
          'all are served',
          async () => isAll(await atRate(scene, face, kind, { perSecond: PER_SECOND, ms: 2_000 })),
          RECOVERY_LIMIT_MS,
        );
      await allAreServed();
      workers[kind].takesMs = SLOW_MS;
      const [all, others] = await Promise.all([
        atRate(scene, face, kind, { perSecond: PER_SECOND, ms: SETTLING_MS + 3_000 }),
        atRate(scene, face, kind === 'http' ? 'grpc' : 'http', { perSecond: 20, ms: SETTLING_MS + 3_000 }),
      ]);
      const told = all.slice((all.length * SETTLING_MS) / (SETTLING_MS + 3_000));
      const shed = told.filter(({ code }) => code !== 'OK');
      expect(shed.length).toBeGreaterThan(told.length / 4);
      for (const { code, status, retryAfter, text } of shed) {
        expect([code, status], text).toEqual(['OVERLOADED', face === 'rest' ? 503 : UNAVAILABLE]);
        expect(Number(retryAfter)).toBeGreaterThan(0);
        // Who is refused after a wait is told so.
        expect(text).toContain('is full.');
      }
      expect(percentileMs(shed, 0.5)).toBeLessThan(REFUSAL_LIMIT_MS);
      // At the first limit and in a line that is full they would wait for four times as long as a call takes, and a second besides.
      const served = told.filter(({ code }) => code === 'OK');
      expect(percentileMs(served, 0.5)).toBeLessThan(2.5 * SLOW_MS);
      expect(percentileMs(served, 0.99)).toBeLessThan(ADMITTED_LIMIT_MS);
      expect(isAll(others)).toBe(true);
      expect(percentileMs(others, 0.5)).toBeLessThan(SLOW_MS);
      workers[kind].takesMs = QUICK_MS;
      const startedMs = performance.now();
      await allAreServed();
      expect(performance.now() - startedMs).toBeLessThan(RECOVERY_LIMIT_MS);
      await scene.idle();
    },
  );
});

const isAll = (told: readonly Told[]): boolean => told.every(({ code }) => code === 'OK');

/** Of the times that answers took. */
function percentileMs(told: readonly Told[], share: number): number {
  const times = told.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  return times[Math.floor(times.length * share)]!;
}
