import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Fault } from '../../../../src/core/faults.ts';
import { floats, predictionOf, requestOf, variantOf } from '../fakes.ts';
import { CopyBench, PRIMARY } from './copy-bench.ts';

const OTHER = predictionOf(floats([0.9, 0.1]));

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('CopyQueue', () => {
  it('asks the variant what the caller asked and says whether the answers agree', () => {
    const bench = new CopyBench();
    bench.offer();
    bench.calls[0]!.answer(predictionOf(floats([0.4, 0.6])));
    bench.offer();
    bench.calls[1]!.answer(OTHER);
    bench.offer();
    bench.calls[2]!.answer(predictionOf());
    expect(bench.outcomes).toEqual(['dark agreed', 'dark disagreed', 'dark incomparable']);
    expect(bench.variant.state).toMatchObject({ attempts: 3, failures: 0 });
    expect(bench.variant.gate.inFlight).toBe(0);
  });

  it('passes on the deadline, the trace and the request id, and no copy of the request', () => {
    const bench = new CopyBench();
    const request = requestOf();
    bench.offer('r1', request);
    expect(bench.calls[0]!.request).toBe(request);
    expect(bench.calls[0]!.options).toEqual({
      timeoutMs: 100,
      traceparent: '00-trace',
      tracestate: '',
      requestId: 'r1',
      affinity: 0,
      avoid: '',
    });
  });

  it('counts a fault of the shadow as its failure', () => {
    const bench = new CopyBench();
    bench.offer();
    bench.calls[0]!.fail(Fault.BackendFailed);
    expect(bench.outcomes).toEqual(['dark failed']);
    expect(bench.variant.state).toMatchObject({ attempts: 1, failures: 1, lastFault: 'BACKEND_FAILED' });
    expect(bench.variant.gate.inFlight).toBe(0);
  });

  it('counts a shadow that is not ready as failed and does not call it', () => {
    const bench = new CopyBench();
    bench.variant.state.readiness = { is: 'warming', reason: 'test' };
    bench.offer();
    expect(bench.outcomes).toEqual(['dark failed']);
    expect(bench.variant.state).toMatchObject({ attempts: 1, failures: 1, lastFault: 'NO_VARIANT' });
    expect(bench.variant.gate.inFlight).toBe(0);
    expect(bench.calls.length).toBe(0);
    expect(bench.queue.inFlight).toBe(0);
  });

  it('drops a copy for a shadow that has all the calls it takes', () => {
    const bench = new CopyBench({ maxInFlight: 2 }, { variant: variantOf('dark', 'shadow', 1) });
    bench.offer();
    bench.offer();
    expect(bench.outcomes).toEqual(['dark dropped']);
    expect(bench.variant.state.failures).toBe(0);
  });

  it('runs no more copies than it may and goes on when a backend has really stopped', () => {
    const bench = new CopyBench({ maxInFlight: 2 });
    for (let n = 0; n < 3; n++) bench.offer(`r${n}`);
    expect(bench.calls.length).toBe(2);
    bench.calls[0]!.sink.onPrediction(PRIMARY);
    expect(bench.calls.length).toBe(2);
    bench.calls[0]!.sink.onClosed();
    expect(bench.calls.map((call) => call.options.requestId)).toEqual(['r0', 'r1', 'r2']);
    expect(bench.queue.inFlight).toBe(2);
  });

  it('drops the newest when too many wait', () => {
    const bench = new CopyBench({ maxQueued: 2 });
    for (let n = 0; n < 5; n++) bench.offer(`r${n}`);
    expect(bench.queue.length).toBe(2);
    expect(bench.outcomes).toEqual(['dark dropped', 'dark dropped']);
    for (let n = 0; n < 3; n++) bench.calls[n]!.answer(PRIMARY);
    expect(bench.calls.map((call) => call.options.requestId)).toEqual(['r0', 'r1', 'r2']);
  });

  it('drops the newest when too many bytes wait, and takes more when they are gone', () => {
    const bench = new CopyBench({ maxQueuedBytes: 40 });
    for (let n = 0; n < 4; n++) bench.offer();
    // A request and an answer of two floats each: 16 bytes a copy.
    expect(bench.queue.queuedBytes).toBe(32);
    expect(bench.outcomes).toEqual(['dark dropped']);
    for (let n = 0; n < 3; n++) bench.calls[n]!.answer(PRIMARY);
    expect(bench.queue.queuedBytes).toBe(0);
    bench.offer();
    expect(bench.calls.length).toBe(4);
  });

  it('cancels a copy that takes too long and counts it as the timeout of the shadow', () => {
    const bench = new CopyBench();
    bench.offer();
    bench.pass(99);
    expect(bench.calls[0]!.cancelled).toBe(false);
    bench.pass(1);
    expect(bench.calls[0]!.cancelled).toBe(true);
    bench.calls[0]!.fail(Fault.ClientGone);
    expect(bench.outcomes).toEqual(['dark failed']);
    expect(bench.variant.state.lastFault).toBe('BACKEND_TIMEOUT');
  });

  it('leaves no timer behind for a copy that ended in time', () => {
    const bench = new CopyBench();
    bench.offer();
    bench.calls[0]!.answer(PRIMARY);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('takes the wait in the queue from the time a copy has', () => {
    const bench = new CopyBench();
    bench.offer();
    bench.offer();
    bench.pass(60);
    bench.calls[0]!.answer(PRIMARY);
    expect(bench.calls[1]!.options.timeoutMs).toBe(40);
  });

  it('drops a copy whose time was over before it came to its turn', () => {
    const bench = new CopyBench();
    bench.offer();
    bench.offer();
    bench.pass(100);
    bench.calls[0]!.fail(Fault.ClientGone);
    expect(bench.outcomes).toEqual(['dark failed', 'dark dropped']);
    expect(bench.calls.length).toBe(1);
    expect(bench.queue.inFlight).toBe(0);
  });

  it('survives a backend that throws or calls back from inside of open', () => {
    const bench = new CopyBench();
    const open = bench.variant.backend.open;
    bench.variant.backend.open = () => {
      throw new Error('bug');
    };
    bench.offer();
    bench.variant.backend.open = (request, options, sink) => {
      const call = open.call(bench.variant.backend, request, options, sink);
      sink.onPrediction(PRIMARY);
      sink.onClosed();
      return call;
    };
    bench.offer();
    bench.offer();
    expect(bench.outcomes).toEqual(['dark failed', 'dark agreed', 'dark agreed']);
    expect(bench.variant.state).toMatchObject({ attempts: 3, failures: 1, lastFault: 'BUG' });
    expect(bench.variant.gate.inFlight).toBe(0);
    expect(bench.queue.inFlight).toBe(0);
  });

  it('judges a copy once, whatever the backend tells it afterwards', () => {
    const bench = new CopyBench();
    bench.offer();
    const sink = bench.calls[0]!.sink;
    sink.onPrediction(PRIMARY);
    sink.onPrediction(OTHER);
    sink.onFault(Fault.BackendFailed, '', true, 0);
    sink.onClosed();
    sink.onClosed();
    expect(bench.outcomes).toEqual(['dark agreed']);
    expect(bench.variant.state).toMatchObject({ failures: 0 });
    expect(bench.variant.gate.inFlight).toBe(0);
  });
});

describe('CopyQueue at shutdown', () => {
  it('drops what waits, cancels what runs, blames nobody and resolves when all has stopped', async () => {
    const bench = new CopyBench();
    bench.offer();
    bench.offer();
    const closing = bench.queue.close();
    expect(bench.outcomes).toEqual(['dark dropped']);
    expect(bench.calls[0]!.cancelled).toBe(true);
    bench.calls[0]!.fail(Fault.ClientGone);
    await closing;
    expect(bench.outcomes).toEqual(['dark dropped', 'dark dropped']);
    expect(bench.variant.state).toMatchObject({ failures: 0 });
    expect(bench.variant.gate.inFlight).toBe(0);
  });

  it('is not held up by a backend that does not stop', async () => {
    const bench = new CopyBench();
    bench.offer();
    const closing = bench.queue.close();
    vi.advanceTimersByTime(1_000);
    await closing;
    expect(bench.queue.inFlight).toBe(1);
  });

  it('drops copies that come later and may be closed twice', async () => {
    const bench = new CopyBench();
    await bench.queue.close();
    await bench.queue.close();
    bench.offer();
    expect(bench.outcomes).toEqual(['dark dropped']);
    expect(bench.calls.length).toBe(0);
  });
});
