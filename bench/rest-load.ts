/** Load over HTTP/1.1 with connections kept alive. Owner of autocannon. */

import autocannon from 'autocannon';
import { IN_FLIGHT, LatencyLog, type Load, type LoadResult } from './load.ts';

export interface RestTarget {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const END_POLL_MS = 50;
const CALL_LIMIT_S = 20;

/** One question is asked beforehand; its answer is the one that all must have. */
export async function restLoad(target: RestTarget): Promise<{ readonly load: Load; readonly answer: string }> {
  const { url, headers, body } = target;
  const response = await fetch(url, { method: 'POST', headers, body });
  const answer = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${answer}`);
  return { load: (amount) => run(target, answer, amount), answer };
}

function run({ url, headers, body }: RestTarget, expectBody: string, amount: number): Promise<LoadResult> {
  const latency = new LatencyLog();
  const connections = Math.min(IN_FLIGHT, amount);
  const options = { url, method: 'POST', headers, body, amount, connections, expectBody, sampleInt: END_POLL_MS };
  const startedMs = performance.now();
  let lastMs = startedMs;
  return new Promise((resolve, reject) => {
    const tracker = autocannon({ ...options, timeout: CALL_LIMIT_S }, (error, result) => {
      if (error !== null) {
        reject(error);
        return;
      }
      const bad = result.non2xx + result.errors;
      resolve({
        good: result['2xx'],
        bad,
        strange: result.mismatches,
        elapsedMs: lastMs - startedMs,
        latency: latency.summary(),
      });
    });
    // Its own percentiles are in whole milliseconds.
    tracker.on('response', (_client: unknown, _status: number, _bytes: number, ms: number) => {
      latency.add(ms);
      lastMs = performance.now();
    });
  });
}
