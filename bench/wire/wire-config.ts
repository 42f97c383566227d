/** The config of the gateways of `bench:wire`: every policy on, and limits that no run reaches. */

import { createHash } from 'node:crypto';
import { MODEL } from './fixed-answers.ts';
import type { Engine } from './options.ts';

export const TENANT = 'bench';
/** On one core; what more of them give is a matter of more cores. */
export const WORKERS = 1;
export const KEY_ID = 'bench001';

/** Passed on to the backend each time, or answered from the cache. */
export type Serving = 'passed' | 'cached';

/** A key as config has it: its digest alone. */
export interface StatedKey {
  readonly id: string;
  readonly sha256: string;
}

export interface WireShape {
  readonly models: ReadonlyMap<string, Serving>;
  /** Besides the one that is made at start. */
  readonly keys: readonly StatedKey[];
}

/** One model of each, named by what becomes of its requests. */
export const USUAL: WireShape = {
  models: new Map([
    ['passed', 'passed'],
    ['cached', 'cached'],
  ]),
  keys: [],
};

const DAY_MS = 86_400_000;

export function wireConfig(backend: string, engine: Engine, shape: WireShape): Readonly<Record<string, unknown>> {
  const models = [...shape.models].map(([name, serving]) => [name, model(backend, engine, serving)]);
  return {
    workers: WORKERS,
    // As nginx beside it, which has none either.
    telemetry: { accessLog: false },
    listen: { grpc: { engine } },
    tenants: [
      {
        id: TENANT,
        rate: { requestsPerSecond: 1_000_000, burst: 1_000_000 },
        maxInFlight: 4_096,
        keys: [{ id: KEY_ID, secret: { generate: true } }, ...shape.keys],
      },
    ],
    models: Object.fromEntries(models),
  };
}

function model(backend: string, engine: Engine, serving: Serving): object {
  return {
    inputs: { x: { min: 0, max: 1 } },
    guards: {
      input: [{ kind: 'bounds', name: 'in-range', action: 'block', tensors: ['x'], min: 0, max: 1 }],
      output: [{ kind: 'confidence', name: 'sure-enough', action: 'flag', floor: 0.1, tensors: ['y'] }],
    },
    ...(serving === 'cached' ? { cache: { ttlMs: DAY_MS } } : {}),
    variants: [
      {
        name: 'v1',
        role: 'stable',
        price: { version: 'bench', perRequestUsd: 0.000002, perRowUsd: 0.000001, perCacheHitUsd: 0.0000005 },
        backend: { kind: 'grpc', endpoints: [backend], model: MODEL, engine },
      },
    ],
  };
}

/** SHA-256 of what is on, addresses and engine left out. */
export const policiesDigest = (): string =>
  createHash('sha256')
    .update(JSON.stringify(wireConfig('', 'own', USUAL)))
    .digest('hex');
