import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { arrivals } from '../../../bench/load/arrivals.ts';
import type { LoadOrder, LoadReport } from '../../../bench/load/load-order.ts';
import { OpenLoop } from '../../../bench/load/open-loop.ts';

let server: Server | null = null;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** `status` says what the n-th request gets; 0 gets nothing. */
async function load(order: Partial<LoadOrder>, status: (n: number) => number | Promise<number>): Promise<LoadReport> {
  let seen = 0;
  server = createServer((request, response) => {
    request.resume();
    request.once('end', async () => {
      const code = await status(seen++);
      if (code === 0) return;
      response.statusCode = code;
      response.end('fine');
    });
  });
  await new Promise<void>((done) => server!.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const request = 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi';
  const full = {
    port,
    request,
    arrival: 'constant',
    perSecond: 200,
    seconds: 0.5,
    seed: 1,
    deadlineMs: 5_000,
    maxConnections: 256,
    waits: true,
  } as const;
  return new OpenLoop({ ...full, ...order }).run();
}

describe('the times at which requests are due', () => {
  it('are evenly spaced, or random with the same mean, and the same for the same seed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 1 }), (perSecond, seed) => {
        const even = arrivals('constant', perSecond, 1_000, seed);
        expect(even[999]!).toBeCloseTo((999 * 1000) / perSecond, 3);
        const random = arrivals('poisson', perSecond, 1_000, seed);
        expect(random).toEqual(arrivals('poisson', perSecond, 1_000, seed));
        // Six standard deviations of a mean of a thousand exponential gaps.
        expect(Math.abs((random[999]! * perSecond) / 999_000 - 1)).toBeLessThan(0.2);
        expect(random.every((due, i) => i === 0 || due >= random[i - 1]!)).toBe(true);
      }),
      { seed: 20_266, numRuns: 50 },
    );
  });
});

describe('an open loop of load', () => {
  it('sends everything that is due and sorts the answers', async () => {
    const report = await load({}, (n) => [200, 429, 503, 504, 500][n % 5]!);
    expect(report).toMatchObject({ offered: 100, good: 20, late: 0, refused: 40, failed: 40, lost: 0 });
  });

  it('goes on sending while nothing is answered, and counts the wait from when a request was due', async () => {
    const STALL_MS = 400;
    let release: () => void = () => undefined;
    const stalled = new Promise<void>((done) => {
      release = done;
    });
    setTimeout(() => release(), STALL_MS);
    let seen = 0;
    const report = await load({ seconds: 0.3 }, async () => {
      seen++;
      await stalled;
      return 200;
    });
    expect([seen, report.good]).toEqual([60, 60]);
    // Due between 0 and 300 ms, answered at 400: a closed loop of one would have seen one slow answer.
    expect(report.admittedMs.p50).toBeGreaterThan(STALL_MS / 2 - 50);
  });

  it('gives up what is never answered, and keeps to its connections', async () => {
    const report = await load({ deadlineMs: 50, maxConnections: 10, perSecond: 100, seconds: 0.2 }, (n) => (n === 3 ? 0 : 200));
    expect(report).toMatchObject({ offered: 20, lost: 1 });
  });

  it('loses at once what finds no connection free, where it is told not to wait', async () => {
    let release: () => void = () => undefined;
    const stalled = new Promise<void>((done) => {
      release = done;
    });
    setTimeout(() => release(), 300);
    const asked = load({ waits: false, maxConnections: 10, seconds: 0.2 }, () => stalled.then(() => 200));
    expect(await asked).toMatchObject({ offered: 40, good: 10, lost: 30, unsent: 30 });
  });
});
