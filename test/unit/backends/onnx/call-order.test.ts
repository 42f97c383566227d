import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../support/fake-clock.ts';
import { FakeThreads, tick } from './fake-threads.ts';
import { type Begun, begin, floatsOf, fp32, OPTIONS, requestOf, Scene } from './scene.ts';

/** Everything that can happen to calls, in any order. */
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('open' as const),
      rows: fc.integer({ min: 0, max: 5 }),
      backend: fc.nat({ max: 1 }),
      timeoutMs: fc.constantFrom(20, 10_000),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('cancel' as const), pick: fc.nat() }) },
  { weight: 6, arbitrary: fc.constant({ do: 'tick' as const }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('finish' as const), thread: fc.nat({ max: 1 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('fail' as const), thread: fc.nat({ max: 1 }) }) },
  { weight: 2, arbitrary: fc.constant({ do: 'wait' as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('die' as const), thread: fc.nat({ max: 1 }) }) },
);

describe('a call of an ONNX model', () => {
  it('hears one word and one close, and only its own rows, whatever happens around it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const clock = new FakeClock(1_000);
        const threads = new FakeThreads();
        const scene = new Scene({ clock, startThread: threads.start, threads: 2 });
        const batched = scene.backend('batched.onnx', { batching: { maxRows: 4, maxDelayUs: 0 }, maxQueueRows: 12 });
        const single = scene.backend('single.onnx', { maxQueueRows: 12 });
        await Promise.all([batched.warm(), single.warm()]);
        const calls: (Begun & { values: number[] })[] = [];
        const worked = [0, 0];
        for (const act of steps) {
          if (act.do === 'open') {
            const values = Array.from({ length: act.rows }, (_, i) => calls.length * 10 + i);
            const request = requestOf([fp32('x', [act.rows, 1], values)]);
            const begun = begin(act.backend === 0 ? batched : single, request, { ...OPTIONS, timeoutMs: act.timeoutMs });
            expect(begun.sink.events).toEqual([]);
            calls.push({ ...begun, values });
          } else if (act.do === 'cancel') calls[act.pick % Math.max(1, calls.length)]?.call.cancel();
          else if (act.do === 'tick') await tick();
          else if (act.do === 'wait') clock.advance(15);
          else {
            const thread = threads.started[act.thread]!;
            const parcel = thread.parcels[worked[act.thread]!];
            if (act.do === 'die') thread.exit();
            else if (parcel !== undefined && !thread.dead) {
              worked[act.thread]!++;
              if (act.do === 'finish') thread.finish(parcel);
              else thread.failRuns(parcel);
            }
          }
        }
        await scene.close();
        for (const { sink, values } of calls) {
          expect(sink.events).toEqual(sink.fault === null ? ['prediction', 'end', 'closed'] : [sink.events[0], 'closed']);
          if (sink.prediction !== null) expect(floatsOf(sink.prediction.outputs[0]!)).toEqual(values);
        }
      }),
      { numRuns: 150 },
    );
  });
});
