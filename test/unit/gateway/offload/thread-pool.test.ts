import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Task, Waiting } from '../../../../src/core/offload.ts';
import { type PoolOptions, ThreadPool } from '../../../../src/gateway/offload/thread-pool.ts';
import { FakeThreads } from './fake-threads.ts';

const ECHO: Task<string, string> = { name: 'echo', run: (value, bytes) => ({ value, bytes }) };
const TIMEOUT_MS = 1_000;
const RESTART_MS = 1_000;

let threads: FakeThreads;
let ended: string[];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  threads = new FakeThreads();
  ended = [];
});
afterEach(() => {
  vi.useRealTimers();
});

function poolOf(changes: Partial<PoolOptions> = {}): ThreadPool {
  const pool = new ThreadPool({
    threads: 1,
    inlineBytes: 10,
    maxQueued: 2,
    timeoutMs: TIMEOUT_MS,
    onThreadEnded: (reason) => ended.push(reason),
    startThread: threads.start,
    ...changes,
  });
  pool.start();
  return pool;
}

const nobody = (): Waiting => ({ call: null });
/** What a job ends with, as text. */
function outcome(pool: ThreadPool, input: string, waiting = nobody()): Promise<string> {
  return pool.run(ECHO, input, [Buffer.from(input)], waiting).then(
    ({ value }) => `done ${value}`,
    (error: { kind: { code: string } }) => error.kind.code,
  );
}

describe('the pool of threads', () => {
  it('gives a thread one job at a time, in the order they came, with bytes of its own at aligned places', async () => {
    const pool = poolOf();
    const given = [Buffer.from('abc'), Buffer.from('d')];
    const first = pool.run(ECHO, 'one', given, nobody());
    const second = outcome(pool, 'two');
    const [thread] = threads.started;
    expect(thread!.tasks).toHaveLength(1);
    const { task, input, buffer, places } = thread!.tasks[0]!;
    expect([task, input, places]).toEqual(['echo', 'one', [0, 3, 8, 1]]);
    expect(Buffer.from(buffer, 0, 3).toString() + Buffer.from(buffer, 8, 1).toString()).toBe('abcd');
    thread!.answer({ is: 'done', value: 'one', bytes: [Buffer.from('abc')] });
    expect((await first).bytes).toHaveLength(1);
    expect(thread!.tasks.map((each) => each.input)).toEqual(['one', 'two']);
    thread!.answer({ is: 'done', value: 'two', bytes: [] });
    expect(await second).toBe('done two');
    expect(given[0]!.toString()).toBe('abc');
  });

  it('refuses what finds the queue full', async () => {
    const pool = poolOf();
    for (let i = 0; i < 3; i++) void outcome(pool, `job ${i}`);
    expect(pool.length).toBe(2);
    expect(await outcome(pool, 'too much')).toBe('OVERLOADED');
  });

  it('refuses what has waited too long, and frees its place', async () => {
    const pool = poolOf({ threads: 0 });
    const waiting = outcome(pool, 'waits');
    vi.advanceTimersByTime(TIMEOUT_MS);
    expect(await waiting).toBe('OVERLOADED');
    expect(pool.length).toBe(0);
  });

  it('ends a thread whose job takes too long, tells the caller, and puts another in its place for the others', async () => {
    const pool = poolOf();
    const slow = outcome(pool, 'slow');
    vi.advanceTimersByTime(TIMEOUT_MS - 1);
    const next = outcome(pool, 'next');
    vi.advanceTimersByTime(1);
    expect(await slow).toBe('DEADLINE_OVER');
    expect(threads.started[0]!.terminated).toBe(true);
    expect(ended).toEqual(['The work on its bytes took more than 1000 ms.']);
    // It had finished nothing, so its successor comes a little later: it would end at once where the code itself is broken.
    expect(threads.started).toHaveLength(1);
    vi.advanceTimersByTime(TIMEOUT_MS - 1);
    expect(await next).toBe('OVERLOADED');
    const last = outcome(pool, 'last');
    vi.advanceTimersByTime(RESTART_MS);
    threads.started[1]!.answer({ is: 'done', value: 'last', bytes: [] });
    expect(await last).toBe('done last');
  });

  it('replaces a useful thread at once', async () => {
    const pool = poolOf();
    const first = outcome(pool, 'first');
    threads.started[0]!.answer({ is: 'done', value: 'first', bytes: [] });
    expect(await first).toBe('done first');
    const doomed = outcome(pool, 'doomed');
    threads.started[0]!.emit('error', Object.assign(new Error('heap'), { code: 'ERR_WORKER_OUT_OF_MEMORY' }));
    threads.started[0]!.emit('exit', 1);
    expect(await doomed).toBe('BODY_TOO_LARGE');
    vi.advanceTimersByTime(0);
    const next = outcome(pool, 'next');
    threads.started[1]!.answer({ is: 'done', value: 'next', bytes: [] });
    expect(await next).toBe('done next');
    expect(ended).toHaveLength(1);
  });

  it('blames itself for a task that throws and for a thread that ends by itself', async () => {
    const pool = poolOf();
    const thrown = outcome(pool, 'throws');
    threads.started[0]!.answer({ is: 'threw', reason: 'a mistake' });
    expect(await thrown).toBe('BUG');
    const dies = outcome(pool, 'dies');
    threads.started[0]!.emit('exit', 7);
    expect(await dies).toBe('BUG');
  });

  it('is the call of who waits, and takes a job that nobody waits for out of the queue', async () => {
    const pool = poolOf();
    const running: Waiting = nobody();
    const queued: Waiting = nobody();
    const first = outcome(pool, 'runs', running);
    const second = outcome(pool, 'waits', queued);
    queued.call!.cancel();
    expect(await second).toBe('CLIENT_GONE');
    expect([queued.call, pool.length]).toEqual([null, 0]);
    running.call!.cancel();
    expect(await first).toBe('CLIENT_GONE');
    // The thread is still at it, and its answer goes nowhere.
    const third = outcome(pool, 'third');
    threads.started[0]!.answer({ is: 'done', value: 'runs', bytes: [] });
    threads.started[0]!.answer({ is: 'done', value: 'third', bytes: [] });
    expect(await third).toBe('done third');
  });

  it('hands over nothing of a job whose caller left while it was copied', async () => {
    const pool = poolOf();
    const waiting = nobody();
    const large = pool.run(ECHO, 'large', [Buffer.alloc(3_000_000)], waiting).catch((error: unknown) => error);
    waiting.call!.cancel();
    await large;
    for (let i = 0; i < 5; i++) await new Promise(setImmediate);
    expect(threads.started[0]!.tasks).toEqual([]);
    void outcome(pool, 'next');
    expect(threads.started[0]!.tasks.map((each) => each.input)).toEqual(['next']);
  });

  it('tells everyone when it closes', async () => {
    const pool = poolOf();
    const both = [outcome(pool, 'runs'), outcome(pool, 'waits')];
    await pool.close();
    expect(await Promise.all(both)).toEqual(['DRAINING', 'DRAINING']);
    expect(await outcome(pool, 'late')).toBe('DRAINING');
    expect(threads.started).toHaveLength(1);
  });
});
