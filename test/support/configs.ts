import { join } from 'node:path';
import { MODEL_DIR } from './gateway-under-test.ts';

/** Pieces of config that end-to-end tests put together. */

const key = (id: string, more: object = {}): object => ({ id, secret: { generate: true }, ...more });

/** Two tenants with every right and wide limits. */
export const TENANTS = [
  {
    id: 'alpha',
    rate: { requestsPerSecond: 1_000_000, burst: 1_000_000 },
    maxInFlight: 4_096,
    keys: [key('alpha001', { scopes: ['infer', 'route:override'] })],
  },
  { id: 'beta', rate: { requestsPerSecond: 1_000_000, burst: 1_000_000 }, maxInFlight: 4_096, keys: [key('beta0001')] },
];

export const onnxVariant = (name: string, role: string, file: string, more: object = {}): object => ({
  name,
  role,
  backend: { kind: 'onnx', path: join(MODEL_DIR, file) },
  ...more,
});

export const grpcVariant = (name: string, role: string, address: string, more: object = {}, backend: object = {}): object => ({
  name,
  role,
  backend: { kind: 'grpc', endpoints: [address], ...backend },
  ...more,
});

export { key };
