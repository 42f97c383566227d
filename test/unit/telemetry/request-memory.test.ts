import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RequestContext } from '../../../src/core/context.ts';
import { Fault } from '../../../src/core/faults.ts';
import { Phase } from '../../../src/core/verdict.ts';
import { RequestKind, RequestKinds } from '../../../src/telemetry/request-kind.ts';
import { RequestMemory } from '../../../src/telemetry/request-memory.ts';
import { answer, sampleVariant, stranger } from './sample-request.ts';

const named = (id: string) => {
  const ctx = answer(stranger());
  ctx.requestId = id;
  return ctx;
};

const note = (memory: RequestMemory, ctx: RequestContext, durationUs: number, wallMs: number): void =>
  memory.note(ctx, new RequestKind(ctx), durationUs, wallMs);

/** Bytes in use when everything that nothing holds is gone. */
function heldBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

describe('RequestMemory', () => {
  it('keeps the beginning of a long text and not the rest of it alive', () => {
    const [places, chars] = [1_000, 16_000];
    const memory = new RequestMemory(places);
    const before = heldBytes();
    for (let i = 0; i < places; i++) {
      const ctx = named(`r${i}`);
      Object.assign(ctx, { head: { ...ctx.head, path: Buffer.alloc(chars, `/${i}é`).toString('latin1') } });
      ctx.faultDetail = Buffer.alloc(chars, `${i} ☃`).toString();
      note(memory, ctx, 1, i);
    }
    expect(heldBytes() - before).toBeLessThan((places * chars) / 4);
    expect(memory.find('r7')[0]!.path).toBe(Buffer.alloc(chars, '/7é').toString('latin1').slice(0, 200));
  });

  it('tells of an answered request who asked, where it went and why, and what each phase decided', () => {
    const memory = new RequestMemory(2);
    const ctx = named('a');
    ctx.traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    ctx.stickyBy = 'session';
    note(memory, ctx, 2_210, Date.UTC(2026, 10, 21));
    const [story] = memory.find('a');
    expect(story).toMatchObject({
      requestId: 'a',
      at: '2026-11-21T00:00:00.000Z',
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
      tenant: 'acme',
      keyId: 'abcd1234',
      model: 'digits',
      answeredBy: 'v1',
      cache: 'miss',
      placement: {
        variant: 'v1',
        planRevision: 7,
        weightBp: 9_900,
        why: 'The plan gives v1 99 % at revision 7; hashed by x-sluice-session.',
      },
      fault: null,
      durationUs: 2_210,
    });
    expect(story!.phases.map(({ phase }) => phase)).toEqual([
      ...['identify', 'admit', 'decode', 'authorise', 'inspect_input', 'place'],
      ...['recall', 'infer', 'inspect_output', 'book', 'reply'],
    ]);
    expect(story!.phases[7]).toEqual({ phase: 'infer', durationUs: 2_000, decided: 'v1 answered at the first try' });
  });

  it('tells the key of each request, of which one tenant may have more than there are kinds', () => {
    const memory = new RequestMemory(10);
    const kinds = new RequestKinds();
    for (const keyId of ['one', 'two']) {
      const ctx = named(`by-${keyId}`);
      ctx.principal = { ...ctx.principal!, keyId };
      memory.note(ctx, kinds.of(ctx), 1, 1);
    }
    expect(kinds.of(named('a'))).toBe(kinds.of(named('b')));
    expect(memory.find('by-one')[0]).toMatchObject({ tenant: 'acme', keyId: 'one' });
    expect(memory.find('by-two')[0]).toMatchObject({ tenant: 'acme', keyId: 'two' });
    expect(memory.find('by-two')[0]!.phases[0]!.decided).toContain('by key two');
  });

  it('tells of a refused request where and why, and says of no phase behind it that it ran', () => {
    const memory = new RequestMemory(2);
    const ctx = stranger();
    ctx.phase = Phase.Identify;
    ctx.refuse(Fault.KeyMissing);
    ctx.marksUs[Phase.Identify] = 12;
    note(memory, ctx, 20, 0);
    expect(memory.find('req-1')).toMatchObject([
      {
        tenant: '',
        placement: null,
        answeredBy: '',
        fault: { code: 'KEY_MISSING', phase: 'identify' },
        phases: [{ phase: 'identify', decided: 'refused: KEY_MISSING, No credential was sent.' }],
      },
    ]);
  });

  it('tells of a fallback who answered in whose place, and which tries had failed', () => {
    const memory = new RequestMemory(1);
    const ctx = answer(stranger(), sampleVariant('v2'));
    ctx.answeredBy = sampleVariant('v1');
    ctx.attempts = 2;
    ctx.failedTries = [{ variant: 'v2', endpoint: '10.0.0.7:8001', code: 'BACKEND_UNREACHABLE', durationUs: 900 }];
    note(memory, ctx, 1, 0);
    const [story] = memory.find('req-1');
    expect(story!.phases.find(({ phase }) => phase === 'infer')!.decided).toBe('v1 answered in the place of v2 after 2 tries');
    expect(story!.failedTries).toEqual(ctx.failedTries);
  });

  it('does not keep what callers made long, nor probes, nor anything where it is turned off', () => {
    const memory = new RequestMemory(1);
    const ctx = stranger({ path: `/${'x'.repeat(5_000)}` });
    ctx.refuse(Fault.NotFound, 'y'.repeat(5_000));
    note(memory, ctx, 1, 0);
    const [story] = memory.find('req-1');
    expect(story!.path.length + story!.fault!.detail.length).toBe(400);
    note(memory, stranger({}, { open: true }), 1, 0);
    expect(memory.find('req-1')[0]!.path).toBe(story!.path);
    const none = new RequestMemory(0);
    note(none, named('a'), 1, 0);
    expect(none.find('a')).toEqual([]);
  });

  it('keeps no long URL alive for the short path that was cut off it', () => {
    const [places, chars] = [1_000, 16_000];
    const memory = new RequestMemory(places);
    const before = heldBytes();
    for (let i = 0; i < places; i++) {
      const url = Buffer.alloc(chars, `/v2/models/digits/infer?${i}`).toString('latin1');
      note(memory, stranger({ path: url.slice(0, url.indexOf('?')) }), 1, i);
    }
    expect(heldBytes() - before).toBeLessThan((places * chars) / 4);
    expect(memory.find('req-1')[0]!.path).toBe('/v2/models/digits/infer');
  });

  it('tells ids of any length that a caller may choose apart', () => {
    const memory = new RequestMemory(4);
    const long = 'x'.repeat(64);
    for (const id of [long, 'ab', 'a', 'abc']) note(memory, named(id), 1, 0);
    for (const id of [long, 'ab', 'a', 'abc']) expect(memory.find(id).map(({ requestId }) => requestId)).toEqual([id]);
    expect(memory.find('x')).toEqual([]);
    // A place that is used again keeps nothing of the longer id that stood there.
    note(memory, named('y'), 1, 0);
    expect([memory.find(long), memory.find('y')[0]!.traceId]).toEqual([[], '']);
  });

  it('remembers the last so many, newest first, as a list cut at its end would', () => {
    const ids = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 60 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), ids, (size, asked) => {
        const memory = new RequestMemory(size);
        for (const [i, id] of asked.entries()) note(memory, named(id), i, i);
        for (const id of ['', 'a', 'b', 'c', 'd']) {
          const kept = asked.map((other, i) => ({ other, i })).slice(-size);
          const expected = kept.filter(({ other }) => other === id).reverse();
          expect(memory.find(id).map(({ durationUs }) => durationUs)).toEqual(expected.slice(0, 10).map(({ i }) => i));
        }
      }),
      { seed: 20_261 },
    );
  });
});
