import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Backend, CallOptions } from '../../../src/core/backend.ts';
import { isDatatype } from '../../../src/core/datatype.ts';
import { Fault, GatewayError } from '../../../src/core/faults.ts';
import type { InferenceRequest, Prediction } from '../../../src/core/inference.ts';
import { RecordingSink } from '../recording-sink.ts';

/** What the contract needs to try one kind of backend. Made anew for each test. */
export interface BackendFixture {
  /** Not warmed yet. The contract closes it. */
  readonly backend: Backend;
  /** A request that the model answers; another `n` asks for another answer. */
  request(n: number): InferenceRequest;
  /** Why this is not the answer to `request(n)`; empty when it is. */
  mistake(n: number, prediction: Prediction): string;
  /** A request that the model cannot run. */
  misfit(): InferenceRequest;
  /** A backend of the same kind whose target is not there. The contract closes it. */
  lost(): Backend;
  /** Where the backend can explain: why the answer to `request(1)` with the task `explain` is none; empty when it is one. */
  readonly explanationMistake?: (prediction: Prediction) => string;
  /** Gives back what the fixture made besides its backends. */
  dispose(): Promise<void>;
}

const OPTIONS: CallOptions = {
  timeoutMs: 10_000,
  traceparent: '',
  tracestate: '',
  requestId: 'contract',
  affinity: 0,
  avoid: '',
};
const CALLS = 40;

/** What every kind of backend owes the gateway, run against each of them. */
export function backendContract(name: string, makeFixture: () => BackendFixture | Promise<BackendFixture>): void {
  describe(`${name}, as a backend`, () => {
    let fixture: BackendFixture;

    beforeEach(async () => {
      fixture = await makeFixture();
    });

    afterEach(async () => {
      await fixture.backend.close();
      await fixture.dispose();
    });

    const begin = (request: InferenceRequest): { sink: RecordingSink; cancel: () => void } => {
      const sink = new RecordingSink();
      const call = fixture.backend.open(request, OPTIONS, sink);
      expect(sink.events, 'nothing is said from inside open').toEqual([]);
      return { sink, cancel: () => call.cancel() };
    };

    describe('warm', () => {
      it('reads a signature with known datatypes', async () => {
        const signature = await fixture.backend.warm();
        expect(signature.inputs.length).toBeGreaterThan(0);
        expect(signature.outputs.length).toBeGreaterThan(0);
        for (const spec of [...signature.inputs, ...signature.outputs]) {
          expect(spec.name).not.toBe('');
          expect(isDatatype(spec.datatype), spec.datatype).toBe(true);
        }
      });

      it('says the same when it is asked again', async () => {
        const first = await fixture.backend.warm();
        expect(await fixture.backend.warm()).toEqual(first);
      });

      it('rejects with a gateway error that names the target when it is not there', async () => {
        const lost = fixture.lost();
        const error = await lost.warm().then(
          () => null,
          (reason: unknown) => reason,
        );
        expect(error).toBeInstanceOf(GatewayError);
        expect((error as GatewayError).message).toContain(lost.target);
        await lost.close();
      });
    });

    describe('probe', () => {
      it('is true once the backend is warm', async () => {
        await fixture.backend.warm();
        expect(await fixture.backend.probe(5_000)).toBe(true);
      });

      it('is false, and no rejection, when the target is not there', async () => {
        const lost = fixture.lost();
        expect(await lost.probe(200)).toBe(false);
        await lost.close();
      });
    });

    describe('a call', () => {
      beforeEach(async () => {
        await fixture.backend.warm();
      });

      it('ends with one prediction and then one close', async () => {
        const { sink } = begin(fixture.request(1));
        await sink.closed;
        expect(sink.events).toEqual(['prediction', 'end', 'closed']);
        expect(fixture.mistake(1, sink.prediction!)).toBe('');
        expect(sink.prediction!.computeUs).toBeGreaterThanOrEqual(0);
      });

      it('leaves the request as it was, since a fallback may send it again', async () => {
        const request = fixture.request(1);
        const before = request.inputs.map((tensor) => Buffer.from(tensor.data));
        const { sink } = begin(request);
        await sink.closed;
        expect(request.inputs.map((tensor) => Buffer.from(tensor.data))).toEqual(before);
      });

      it('keeps the answers of many callers apart', async () => {
        const calls = Array.from({ length: CALLS }, (_, n) => begin(fixture.request(n)));
        await Promise.all(calls.map(({ sink }) => sink.closed));
        const mistakes = calls.map(({ sink }, n) =>
          sink.prediction === null ? sink.events : fixture.mistake(n, sink.prediction),
        );
        expect(mistakes).toEqual(calls.map(() => ''));
      });

      it('ends with one fault and then one close when the model cannot run it', async () => {
        const { sink } = begin(fixture.misfit());
        await sink.closed;
        expect(sink.events).toHaveLength(2);
        expect(sink.events[0]).toMatch(/^fault /);
        expect(sink.fault!.blame).not.toBe('gateway');
      });

      it('explains, or refuses to as something that is not supported here', async () => {
        const { sink } = begin({ ...fixture.request(1), task: 'explain' });
        await sink.closed;
        if (fixture.explanationMistake !== undefined) {
          expect(sink.events).toEqual(['prediction', 'end', 'closed']);
          expect(fixture.explanationMistake(sink.prediction!)).toBe('');
          return;
        }
        expect(sink.events).toEqual([`fault ${Fault.NotSupported.code}`, 'closed']);
        expect(sink.detail).toContain('ask :predict');
        expect(sink.reached).toBe(false);
      });

      it('hears that the client has gone when it is cancelled before it was refused', async () => {
        const { sink, cancel } = begin({ ...fixture.request(1), task: 'explain' });
        cancel();
        await sink.closed;
        expect(sink.events).toEqual([`fault ${Fault.ClientGone.code}`, 'closed']);
      });

      it('hears that the client has gone when it is cancelled, and then one close', async () => {
        const { sink, cancel } = begin(fixture.request(1));
        cancel();
        cancel();
        await sink.closed;
        expect(sink.events).toEqual([`fault ${Fault.ClientGone.code}`, 'closed']);
        cancel();
        expect(sink.events).toHaveLength(2);
      });

      it('hears nothing more when it is cancelled after its end', async () => {
        const { sink, cancel } = begin(fixture.request(1));
        await sink.closed;
        cancel();
        const next = begin(fixture.request(2));
        await next.sink.closed;
        expect(sink.events).toEqual(['prediction', 'end', 'closed']);
      });

      it('does not disturb the others when it is cancelled', async () => {
        const calls = Array.from({ length: CALLS }, (_, n) => begin(fixture.request(n)));
        for (let n = 0; n < CALLS; n += 2) calls[n]!.cancel();
        await Promise.all(calls.map(({ sink }) => sink.closed));
        const kept = calls.filter((_, n) => n % 2 === 1);
        expect(kept.map(({ sink }) => sink.events)).toEqual(kept.map(() => ['prediction', 'end', 'closed']));
      });
    });

    describe('close', () => {
      it('ends the calls in flight, each with one word and one close', async () => {
        await fixture.backend.warm();
        const calls = Array.from({ length: CALLS }, (_, n) => begin(fixture.request(n)));
        await fixture.backend.close();
        for (const { sink } of calls) {
          expect(sink.events).toHaveLength(2);
          expect(sink.events[1]).toBe('closed');
        }
      });

      it('may come twice, and before anything else', async () => {
        await fixture.backend.close();
        await fixture.backend.close();
        expect(await fixture.backend.probe(200)).toBe(false);
      });

      it('leaves a backend that has not reached anything with later calls', async () => {
        await fixture.backend.warm();
        await fixture.backend.close();
        const { sink } = begin(fixture.request(1));
        await sink.closed;
        expect(sink.events).toHaveLength(2);
        expect(sink.fault!.retry).toBe('elsewhere');
        expect(sink.reached).toBe(false);
      });
    });
  });
}
