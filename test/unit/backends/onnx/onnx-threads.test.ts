import { afterEach, describe, expect, it, vi } from 'vitest';
import { Fault } from '../../../../src/core/faults.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { FakeThreads, tick } from './fake-threads.ts';
import { begin, ended, fp32, requestOf, Scene } from './scene.ts';

const ROW = requestOf([fp32('x', [1, 1], [1])]);

describe('the threads of ONNX models', () => {
  let scene: Scene;
  let clock: FakeClock;
  let threads: FakeThreads;
  /** What the log would say of threads that ended. */
  let ends: string[];

  function set(threadCount = 1): void {
    clock = new FakeClock(1_000);
    threads = new FakeThreads();
    ends = [];
    const onThreadEnded = (name: string, reason: string): void => void ends.push(`${name}: ${reason}`);
    scene = new Scene({ clock, startThread: threads.start, threads: threadCount, onThreadEnded });
  }

  async function warm() {
    const backend = scene.backend('fake.onnx');
    await backend.warm();
    return backend;
  }

  afterEach(async () => {
    for (const thread of threads.started) thread.exit();
    await scene.close();
  });

  it('tries a model in one thread before it is loaded in all', async () => {
    set(3);
    threads.load = () => 'it is no model';
    await expect(warm()).rejects.toThrow('it is no model');
    expect(threads.started.map((thread) => thread.loads.length)).toEqual([1, 0, 0]);
    threads.load = new FakeThreads().load;
    await warm();
    expect(threads.started.slice(-3).map((thread) => thread.loads.length)).toEqual([1, 1, 1]);
  });

  it('fails the calls of a thread that dies, replaces it, loads its models again and serves what waited', async () => {
    set();
    const backend = await warm();
    const running = begin(backend, ROW);
    await tick();
    const first = threads.newest;
    first.emit('error', new Error('out of memory'));
    expect(running.sink).toMatchObject({ events: ['fault BACKEND_FAILED'], reached: true });
    expect(running.sink.detail).toContain('out of memory');
    expect(ends).toEqual(['onnx-0: out of memory']);
    first.exit();
    expect(await ended(running)).toEqual(['fault BACKEND_FAILED', 'closed']);
    const waiting = begin(backend, ROW);
    expect(await backend.probe()).toBe(false);
    await vi.waitFor(() => expect(threads.started).toHaveLength(2), { interval: 10 });
    await vi.waitFor(() => expect(threads.newest.jobs).toHaveLength(1), { interval: 5 });
    threads.newest.finish(threads.newest.jobs);
    expect(await ended(waiting)).toEqual(['prediction', 'end', 'closed']);
    expect(await backend.probe()).toBe(true);
  });

  it('lets the other threads serve while one is replaced', async () => {
    set(2);
    const backend = await warm();
    threads.started[0]!.exit();
    const call = begin(backend, ROW);
    await tick();
    threads.started[1]!.finish(threads.started[1]!.jobs);
    expect(await ended(call)).toEqual(['prediction', 'end', 'closed']);
    expect(await backend.probe()).toBe(true);
  });

  it('says that the model cannot be reached when a thread that came back cannot load it', async () => {
    set();
    const backend = await warm();
    threads.load = () => 'the file is gone';
    threads.newest.exit();
    await vi.waitFor(() => expect(threads.started).toHaveLength(2), { interval: 10 });
    await tick();
    const call = begin(backend, ROW);
    expect(await ended(call)).toEqual(['fault BACKEND_UNREACHABLE', 'closed']);
    expect(call.sink.detail).toContain('the file is gone');
    threads.load = new FakeThreads().load;
    await vi.waitFor(async () => expect(await backend.probe()).toBe(true), { interval: 10 });
  });

  it('refuses a file that has changed its inputs since the other threads loaded it', async () => {
    set(2);
    const load = threads.load;
    threads.load = (session) => {
      const signature = load(session) as Exclude<ReturnType<typeof load>, string | null>;
      return threads.started[1]!.loads.length === 0 ? signature : { ...signature, inputs: [] };
    };
    await expect(warm()).rejects.toThrow('has other inputs or outputs than when it was first loaded');
  });

  it('leaves one thread behind whose run does not end, and reports the backend as not ready at the second', async () => {
    set();
    const backend = await warm();
    const hang = async () => {
      const call = begin(backend, ROW);
      await vi.waitFor(() => expect(threads.newest.jobs).toHaveLength(1), { interval: 5 });
      threads.newest.hangs = true;
      call.call.cancel();
      clock.advance(10_000);
      return call;
    };
    const first = await hang();
    await vi.waitFor(() => expect(threads.started).toHaveLength(2), { interval: 10 });
    expect(threads.started[0]!.terminated).toBe(true);
    expect(first.sink.events).toEqual(['fault CLIENT_GONE']);
    expect(await backend.probe()).toBe(true);
    await hang();
    await vi.waitFor(async () => expect(await backend.probe()).toBe(false), { interval: 10 });
    expect(threads.started).toHaveLength(2);
    threads.started[0]!.exit();
    expect(await ended(first)).toEqual(['fault CLIENT_GONE', 'closed']);
    await vi.waitFor(() => expect(threads.started).toHaveLength(3), { interval: 10 });
    await vi.waitFor(async () => expect(await backend.probe()).toBe(true), { interval: 10 });
  });

  it('ends its threads with the last model, and starts them again with the next', async () => {
    set(2);
    const [one, other] = [await warm(), await warm()];
    await one.close();
    expect(threads.started.map((thread) => thread.terminated)).toEqual([false, false]);
    await other.close();
    expect(threads.started.map((thread) => thread.terminated)).toEqual([true, true]);
    expect(ends).toEqual([]);
    await warm();
    expect(threads.started).toHaveLength(4);
  });

  it('refuses what waits and ends what runs when the host is closed', async () => {
    set();
    const backend = await warm();
    const calls = [1, 2, 3].map(() => begin(backend, ROW));
    await tick();
    await scene.host.close();
    expect(await Promise.all(calls.map(ended))).toEqual([
      ['fault DRAINING', 'closed'],
      ['fault DRAINING', 'closed'],
      ['fault BACKEND_UNREACHABLE', 'closed'],
    ]);
    const late = begin(backend, ROW);
    await ended(late);
    expect(late.sink.fault).toBe(Fault.BackendUnreachable);
    await expect(scene.backend('fake.onnx').warm()).rejects.toThrow('have been stopped');
  });
});
