import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { RequestContext } from '../../../src/core/context.ts';
import { parseTraceparent } from '../../../src/telemetry/traceparent.ts';
import type { Traces } from '../../../src/telemetry/traces.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const UNSAMPLED = `00-${TRACE}-00f067aa0ba902b7-00`;
const SAMPLED = `00-${TRACE}-00f067aa0ba902b7-01`;

/** What every way to treat traces must do. `open` gives a fresh one, `request` a request with these headers. */
export function tracesContract(open: () => Traces, request: (traceparent: string, tracestate?: string) => RequestContext): void {
  it.each([UNSAMPLED, SAMPLED])('stays in the trace of the caller: %s', (header) => {
    const ctx = request(header);
    open().begin(ctx);
    const passed = parseTraceparent(ctx.traceparent);
    expect(passed?.traceId).toBe(TRACE);
    expect(passed?.flags).toBe(parseTraceparent(header)?.flags);
  });

  it('passes an unsampled trace on as it came', () => {
    const ctx = request(UNSAMPLED);
    open().begin(ctx);
    expect(ctx.traceparent).toBe(UNSAMPLED);
    expect(ctx.span).toBeNull();
  });

  it('speaks of a later version in the words of the one it knows', () => {
    const ctx = request(`cc-${TRACE}-00f067aa0ba902b7-00-future`);
    open().begin(ctx);
    expect(ctx.traceparent).toBe(UNSAMPLED);
  });

  it('sends a backend nothing but a valid trace context, whatever a caller sent', () => {
    const traces = open();
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((tail) => `${SAMPLED}${tail}`),
          fc.constant(''),
        ),
        (header) => {
          const ctx = request(header);
          traces.begin(ctx);
          traces.end(ctx, 1);
          expect(ctx.traceparent === '' || parseTraceparent(ctx.traceparent) !== null).toBe(true);
          if (parseTraceparent(header) === null) expect(ctx.traceparent).not.toContain(TRACE);
        },
      ),
    );
  });

  it('passes on what other systems have noted, with their trace alone', () => {
    for (const [header, state, passed] of [
      [SAMPLED, 'rojo=1, congo=t61', 'rojo=1,congo=t61'],
      [UNSAMPLED, 'rojo=1', 'rojo=1'],
      [SAMPLED, 'no state', ''],
      ['', 'rojo=1', ''],
      [`${SAMPLED}x`, 'rojo=1', ''],
    ] as const) {
      const ctx = request(header, state);
      open().begin(ctx);
      expect([header, ctx.tracestate]).toEqual([header, passed]);
    }
  });

  it('takes the end of a request that began before it was there', () => {
    expect(() => open().end(request(SAMPLED), 1)).not.toThrow();
  });

  it('shuts down more than once without a complaint', async () => {
    const traces = open();
    await traces.shutdown();
    await traces.shutdown();
  });
}
