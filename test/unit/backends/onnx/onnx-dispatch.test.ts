import { afterEach, describe, expect, it, vi } from 'vitest';
import type { OnnxBackend } from '../../../../src/backends/onnx/onnx-backend.ts';
import { Fault } from '../../../../src/core/faults.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { type FakeThread, FakeThreads, tick } from './fake-threads.ts';
import { type Begun, begin, ended, floatsOf, fp32, OPTIONS, requestOf, Scene } from './scene.ts';

const rowsOf = (...values: number[]) => requestOf([fp32('x', [values.length, 1], values)]);

describe('the dispatch of ONNX runs', () => {
  let scene: Scene;
  let clock: FakeClock;
  let threads: FakeThreads;

  function set(threadCount = 1): void {
    clock = new FakeClock(1_000);
    threads = new FakeThreads();
    scene = new Scene({ clock, startThread: threads.start, threads: threadCount });
  }

  async function warm(fields: Parameters<Scene['backend']>[1] = {}): Promise<OnnxBackend> {
    const backend = scene.backend('fake.onnx', fields);
    await backend.warm();
    return backend;
  }

  const shapes = (thread: FakeThread): number[][] => thread.parcels.map((jobs) => jobs.map((job) => job.shapes[0]![0]!));

  /** Ends all runs that the thread was given, and those that follow, until it has none. */
  async function finishAll(thread: FakeThread): Promise<void> {
    for (let done = 0; done < thread.parcels.length; ) {
      thread.finish(thread.parcels[done++]!);
      await tick();
    }
  }

  afterEach(() => scene.close());

  it('lets the rows of one tick share a run, up to the greatest batch', async () => {
    set();
    const backend = await warm({ batching: { maxRows: 4, maxDelayUs: 0 } });
    const calls = [1, 2, 3, 4, 5, 6].map((n) => begin(backend, rowsOf(n)));
    await tick();
    const thread = threads.newest;
    expect(shapes(thread)).toEqual([[4], [2]]);
    await finishAll(thread);
    expect(calls.map(({ sink }) => floatsOf(sink.prediction!.outputs[0]!))).toEqual([[1], [2], [3], [4], [5], [6]]);
    expect(scene.batches).toEqual([4, 2]);
  });

  it('shares the compute time of a run by rows', async () => {
    set();
    const backend = await warm({ batching: { maxRows: 8, maxDelayUs: 0 } });
    const calls = [begin(backend, rowsOf(1)), begin(backend, rowsOf(2, 3, 4))];
    await tick();
    threads.newest.finish(threads.newest.jobs, 100);
    expect(calls.map(({ sink }) => sink.prediction!.computeUs)).toEqual([25, 75]);
  });

  it('keeps what the thread does not accept in the queue, where batches grow', async () => {
    set();
    const backend = await warm({ batching: { maxRows: 8, maxDelayUs: 0 } });
    for (let n = 0; n < 6; n++) {
      begin(backend, rowsOf(n));
      await tick();
    }
    const thread = threads.newest;
    expect(shapes(thread)).toEqual([[1], [1]]);
    thread.finish(thread.parcels[0]!);
    expect(shapes(thread)).toEqual([[1], [1], [4]]);
  });

  it('runs a call alone that has more rows than the greatest batch', async () => {
    set();
    const backend = await warm({ batching: { maxRows: 2, maxDelayUs: 0 } });
    const calls = [begin(backend, rowsOf(1)), begin(backend, rowsOf(2, 3, 4)), begin(backend, rowsOf(5))];
    await tick();
    await finishAll(threads.newest);
    expect(scene.batches).toEqual([1, 3, 1]);
    expect(floatsOf(calls[1]!.sink.prediction!.outputs[0]!)).toEqual([2, 3, 4]);
  });

  it('runs each call alone without batching, and puts short runs into one message', async () => {
    set();
    const backend = await warm();
    begin(backend, rowsOf(1));
    await tick();
    threads.newest.finish(threads.newest.jobs, 50);
    for (let n = 0; n < 5; n++) begin(backend, rowsOf(n));
    await tick();
    expect(shapes(threads.newest)).toEqual([[1], [1, 1, 1, 1, 1]]);
  });

  it('waits for more rows while a thread is idle, and not longer than allowed', async () => {
    set();
    const backend = await warm({ batching: { maxRows: 4, maxDelayUs: 3_000 } });
    begin(backend, rowsOf(1));
    await tick();
    clock.advance(2);
    begin(backend, rowsOf(2));
    await tick();
    expect(threads.newest.parcels).toEqual([]);
    clock.advance(1);
    await vi.waitFor(() => expect(shapes(threads.newest)).toEqual([[2]]), { interval: 1 });
  });

  it('does not wait when the batch is full', async () => {
    set();
    const backend = await warm({ batching: { maxRows: 2, maxDelayUs: 900_000 } });
    begin(backend, rowsOf(1));
    begin(backend, rowsOf(2));
    await tick();
    expect(shapes(threads.newest)).toEqual([[2]]);
  });

  it('never runs a call that was cancelled while it waited', async () => {
    set();
    const backend = await warm();
    const calls = [1, 2, 3, 4].map((n) => begin(backend, rowsOf(n)));
    await tick();
    calls[2]!.call.cancel();
    expect(calls[2]!.sink.events).toEqual([`fault ${Fault.ClientGone.code}`, 'closed']);
    expect(calls[2]!.sink.reached).toBe(false);
    await finishAll(threads.newest);
    expect(threads.newest.jobs.map((job) => new Float32Array(job.buffer)[0])).toEqual([1, 2, 4]);
  });

  it('tells a running call that is cancelled at once, and that it is closed when its run has ended', async () => {
    set();
    const backend = await warm({ batching: { maxRows: 2, maxDelayUs: 0 } });
    const calls = [1, 2].map((n) => begin(backend, rowsOf(n)));
    await tick();
    calls[0]!.call.cancel();
    expect(calls[0]!.sink.events).toEqual([`fault ${Fault.ClientGone.code}`]);
    expect(calls[0]!.sink.reached).toBe(true);
    threads.newest.finish(threads.newest.jobs);
    expect(calls[0]!.sink.events).toEqual([`fault ${Fault.ClientGone.code}`, 'closed']);
    expect(calls[1]!.sink.events).toEqual(['prediction', 'end', 'closed']);
  });

  it('refuses a call when too many rows wait, and says so after the tick', async () => {
    set();
    const backend = await warm({ maxQueueRows: 3 });
    const calls = [begin(backend, rowsOf(1, 2)), begin(backend, rowsOf(3, 4)), begin(backend, rowsOf(5))];
    expect(calls[1]!.sink.events).toEqual([]);
    await tick();
    expect(calls.map(({ sink }) => sink.fault)).toEqual([null, Fault.Overloaded, null]);
    expect(calls[1]!.sink).toMatchObject({ events: ['fault OVERLOADED', 'closed'], reached: false });
  });

  it('drops a waiting call whose time is over, before a thread is free', async () => {
    set();
    const backend = await warm();
    const calls = [1, 2, 3].map((n) => begin(backend, rowsOf(n), { ...OPTIONS, timeoutMs: n === 3 ? 50 : 5_000 }));
    await tick();
    clock.advance(60);
    await calls[2]!.sink.closed;
    expect(calls[2]!.sink).toMatchObject({ fault: Fault.BackendTimeout, reached: false });
    expect(calls[0]!.sink.events).toEqual([]);
    expect(threads.newest.jobs).toHaveLength(2);
  });

  it('takes turns between models, so that a long queue of one does not hold up another', async () => {
    set();
    const [busy, quiet] = [await warm(), await warm()];
    for (let n = 0; n < 50; n++) begin(busy, rowsOf(n));
    await tick();
    const late = begin(quiet, rowsOf(1_000));
    await tick();
    const thread = threads.newest;
    thread.finish(thread.parcels[0]!, 5_000);
    thread.finish(thread.parcels[1]!, 5_000);
    thread.finish(thread.parcels[2]!, 5_000);
    thread.finish(thread.parcels[3]!, 5_000);
    expect(late.sink.events).toEqual(['prediction', 'end', 'closed']);
  });

  it('spreads runs over the threads', async () => {
    set(3);
    const backend = await warm();
    for (let n = 0; n < 3; n++) begin(backend, rowsOf(n));
    await tick();
    expect(threads.started.map((thread) => thread.jobs.length)).toEqual([1, 1, 1]);
  });

  it('runs the mates of a bad call again, in halves, until it is alone', async () => {
    set();
    const backend = await warm({ batching: { maxRows: 32, maxDelayUs: 0 } });
    const calls = Array.from({ length: 32 }, (_, n) => begin(backend, rowsOf(n)));
    await tick();
    const thread = threads.newest;
    for (let done = 0; done < thread.jobs.length; done++) {
      const job = thread.jobs[done]!;
      if (new Float32Array(job.buffer).includes(13)) thread.failRuns([job]);
      else thread.finish([job]);
    }
    expect(calls.flatMap(({ sink }, n) => (sink.fault === null ? [] : [n]))).toEqual([13]);
    expect(calls[13]!.sink).toMatchObject({ fault: Fault.BackendFailed, detail: 'the model run failed: no', reached: true });
    expect(calls.filter(({ sink }) => sink.prediction !== null)).toHaveLength(31);
    expect(thread.jobs).toHaveLength(11);
  });

  it('does not run a call again that was cancelled meanwhile', async () => {
    set();
    const backend = await warm({ batching: { maxRows: 4, maxDelayUs: 0 } });
    const calls = [1, 2, 3, 4].map((n) => begin(backend, rowsOf(n)));
    await tick();
    calls[0]!.call.cancel();
    const thread = threads.newest;
    thread.failRuns(thread.jobs);
    expect(calls[0]!.sink.events.at(-1)).toBe('closed');
    expect(shapes(thread).flat()).toEqual([4, 1, 2]);
    await finishAll(thread);
    expect(calls.slice(1).every(({ sink }) => sink.prediction !== null)).toBe(true);
  });

  it('gives mates their answers when the sink of one throws', async () => {
    set();
    const backend = await warm({ batching: { maxRows: 2, maxDelayUs: 0 } });
    const thrown: unknown[] = [];
    const nextTick = vi.spyOn(process, 'nextTick').mockImplementation((raise) => {
      try {
        raise();
      } catch (error) {
        thrown.push(error);
      }
    });
    const bad: Begun = begin(backend, rowsOf(1));
    bad.sink.onPrediction = () => {
      throw new Error('a bug');
    };
    const good = begin(backend, rowsOf(2));
    await tick();
    threads.newest.finish(threads.newest.jobs);
    nextTick.mockRestore();
    expect(await ended(good)).toEqual(['prediction', 'end', 'closed']);
    expect(await ended(bad)).toEqual(['closed']);
    expect(thrown).toEqual([new Error('a bug')]);
  });
});
