/** The gateway of the soak: our HTTP/2 both ways, two endpoints behind each model, and times that are short enough to run out. */

import { ECHO, PARTS } from './messages.ts';

export const MODEL_TIMEOUT_MS = 3_000;
const WRITE_STALL_MS = 2_000;

export function soakConfig(endpoints: readonly string[]): Readonly<Record<string, unknown>> {
  const model = {
    timeoutMs: MODEL_TIMEOUT_MS,
    retries: { max: 2 },
    variants: [{ name: 'v1', role: 'stable', backend: { kind: 'grpc', endpoints, engine: 'own' } }],
  };
  return {
    workers: 1,
    shutdown: { idleMs: 0 },
    listen: { grpc: { engine: 'own', writeStallMs: WRITE_STALL_MS }, admin: { maxRequestsPerSecond: 10_000 } },
    tenants: [
      {
        id: 'soak',
        rate: { requestsPerSecond: 1_000_000, burst: 1_000_000 },
        maxInFlight: 4_096,
        keys: [{ id: 'soak0001', secret: { generate: true } }],
      },
    ],
    models: { [ECHO]: model, [PARTS]: model },
  };
}
