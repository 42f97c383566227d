/** The config of the gateway under test: everything on that a real one has on, and limits that no run reaches. */

import { fileURLToPath } from 'node:url';
import type { BodyName } from './bodies.ts';

export const TENANT = { id: 'bench', keyId: 'bench001' };

/** What the gateway does for a request, by the models of this config. */
export type Way = 'cache' | 'onnx' | 'grpc';

export const modelFor = (way: Way, body: BodyName): string => `${body}-${way}`;

const DIGITS_FILE = fileURLToPath(new URL('../models/digits/v1.onnx', import.meta.url));
const DAY_MS = 86_400_000;
const price = { version: 'bench', perRequestUsd: 0.000002, perRowUsd: 0.000001, perCacheHitUsd: 0.0000005 };

export function benchConfig(backendAddress: string): Readonly<Record<string, unknown>> {
  const grpc = (body: BodyName): object => variant({ kind: 'grpc', endpoints: [backendAddress], model: body });
  const onnx = variant({ kind: 'onnx', path: DIGITS_FILE, batching: { maxRows: 64 } });
  const small = { inputs: { x: { min: 0, max: 1 } } };
  const digit = { inputs: { image: { min: 0, max: 1 } } };
  const cache = { ttlMs: DAY_MS };
  return {
    // On one core; what more workers give is a matter of more cores.
    workers: 1,
    tenants: [
      {
        id: TENANT.id,
        rate: { requestsPerSecond: 1_000_000, burst: 1_000_000 },
        maxInFlight: 1_024,
        keys: [{ id: TENANT.keyId, secret: { generate: true } }],
      },
    ],
    models: {
      [modelFor('cache', 'small')]: { ...small, cache, variants: [grpc('small')] },
      [modelFor('grpc', 'small')]: { ...small, variants: [grpc('small')] },
      [modelFor('cache', 'digit')]: { ...digit, cache, variants: [onnx] },
      [modelFor('onnx', 'digit')]: { ...digit, variants: [onnx] },
      [modelFor('grpc', 'digit')]: { ...digit, variants: [grpc('digit')] },
    },
  };
}

const variant = (backend: object): object => ({ name: 'v1', role: 'stable', price, backend });
