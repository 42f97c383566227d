/** The rounds of the shadow benchmark: the same load with a shadow and without, one after the other in a changing order. */

import type { SluiceProcess } from '../../scripts/demo/sluice-process.ts';
import type { Companion } from '../companion.ts';
import type { GeneratorProcess } from './generator-process.ts';
import type { LoadReport } from './load-order.ts';

/** `again` is `off` once more: how far two runs of the same lie apart is what the machine adds. */
export type Arm = 'off' | 'on' | 'again';
export const ARMS: readonly Arm[] = ['off', 'on', 'again'];

/** Models of the gateway under test. */
export const PLAIN = 'plain';
export const SHADOWED = 'shadowed';
const MODEL_OF: Readonly<Record<Arm, string>> = { off: PLAIN, on: SHADOWED, again: PLAIN };

export interface ShadowBench {
  readonly gateway: SluiceProcess;
  readonly shadow: Companion;
  readonly generator: GeneratorProcess;
  readonly key: string;
  readonly perSecond: number;
  readonly seconds: number;
}

export interface ShadowRound {
  readonly reports: Readonly<Record<Arm, LoadReport>>;
  /** Copies that the shadow was really asked, for each request of `on`. */
  readonly copied: number;
}

const DEADLINE_MS = 1_000;
const MAX_CONNECTIONS = 1_024;
/** Between two runs, for what the last has left behind. */
const PAUSE_MS = 300;

export async function runRound(bench: ShadowBench, round: number): Promise<ShadowRound> {
  const reports: Partial<Record<Arm, LoadReport>> = {};
  const before = await bench.shadow.count();
  for (let i = 0; i < ARMS.length; i++) {
    const arm = ARMS[(i + round) % ARMS.length]!;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    reports[arm] = await Promise.race([run(bench, MODEL_OF[arm], round), bench.gateway.died]);
  }
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  const copies = (await bench.shadow.count()) - before;
  return { reports: reports as Record<Arm, LoadReport>, copied: copies / reports.on!.offered };
}

/** Every arm of a round gets its requests at the same times. */
export function run(bench: ShadowBench, model: string, round: number): Promise<LoadReport> {
  const { gateway, generator, key, perSecond, seconds } = bench;
  return generator.run({
    port: Number(new URL(gateway.httpUrl).port),
    request: requestOf(model, key),
    arrival: 'poisson',
    perSecond,
    seconds,
    seed: 1 + round,
    deadlineMs: DEADLINE_MS,
    maxConnections: MAX_CONNECTIONS,
    waits: true,
  });
}

function requestOf(model: string, key: string): string {
  const body = '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[1,2]}]}';
  return (
    `POST /v2/models/${model}/infer HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${body.length}\r\n\r\n${body}`
  );
}
