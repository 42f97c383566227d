/** The gateway of `bench:wire`: every policy on, and limits that no run reaches. */

import { createHash } from 'node:crypto';
import { MODEL } from './fixed-answers.ts';

/** Passed on to the backend each time, or answered from the cache. */
export type WireModel = 'passed' | 'cached';

const DAY_MS = 86_400_000;

export function wireConfig(backend: string, engine: 'own' | 'grpc-js'): Readonly<Record<string, unknown>> {
  return {
    workers: 1,
    listen: { grpc: { engine } },
    tenants: [
      {
        id: 'bench',
        rate: { requestsPerSecond: 1_000_000, burst: 1_000_000 },
        maxInFlight: 4_096,
        keys: [{ id: 'bench001', secret: { generate: true } }],
      },
    ],
    models: {
      passed: model(backend, engine),
      cached: { ...model(backend, engine), cache: { ttlMs: DAY_MS } },
    },
  };
}

function model(backend: string, engine: string): object {
  return {
    inputs: { x: { min: 0, max: 1 } },
    guards: {
      input: [{ kind: 'bounds', name: 'in-range', action: 'block', tensors: ['x'], min: 0, max: 1 }],
      output: [{ kind: 'confidence', name: 'sure-enough', action: 'flag', floor: 0.1, tensors: ['y'] }],
    },
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
    .update(JSON.stringify(wireConfig('', 'own')))
    .digest('hex');
