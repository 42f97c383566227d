/** One step of the overload benchmark: so many times the capacity offered for some seconds, and what came of it. */

import type { SluiceProcess } from '../../scripts/demo/sluice-process.ts';
import type { Companion } from '../companion.ts';
import type { GeneratorProcess } from './generator-process.ts';
import type { LoadReport } from './load-order.ts';

/** Servers that each take so long: 400 requests a second, whatever the machine. */
export const SERVERS = 8;
export const SERVICE_MS = 20;
export const CAPACITY = (SERVERS * 1000) / SERVICE_MS;
/** Ten times the service. */
export const DEADLINE_MS = 200;
const MAX_CONNECTIONS = 4_096;

export interface OverloadRow extends LoadReport {
  /** Times the capacity. */
  readonly factor: number;
  /** Good answers within the deadline, a second of offered load. */
  readonly goodput: number;
  /** Calls that reached the backend, for each request that was not refused. */
  readonly amplification: number;
}

export interface Bench {
  readonly gateway: SluiceProcess;
  readonly backend: Companion;
  readonly generator: GeneratorProcess;
  readonly key: string;
}

export async function offer(bench: Bench, factor: number, seconds: number): Promise<OverloadRow> {
  const callsBefore = await bench.backend.count();
  const report = await bench.generator.run({
    port: Number(new URL(bench.gateway.httpUrl).port),
    request: requestOf(bench.key),
    arrival: 'poisson',
    perSecond: CAPACITY * factor,
    seconds,
    seed: 1 + Math.round(factor * 1000),
    deadlineMs: DEADLINE_MS,
    maxConnections: MAX_CONNECTIONS,
    waits: true,
  });
  const calls = (await bench.backend.count()) - callsBefore;
  const admitted = report.offered - report.refused;
  return { factor, goodput: report.good / seconds, amplification: admitted === 0 ? 0 : calls / admitted, ...report };
}

function requestOf(key: string): string {
  const body = '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[1,2]}]}';
  return (
    `POST /v2/models/timed/infer HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\n` +
    `x-sluice-timeout-ms: ${DEADLINE_MS}\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  );
}
