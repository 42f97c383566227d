import { isIP } from 'node:net';
import { hostOf } from '../config/host.ts';
import type { GrpcBackendConfig, HttpBackendConfig } from '../config/model-schema.ts';
import type { Backend } from '../core/backend.ts';
import type { Clock } from '../core/clock.ts';
import type { EndpointAddress, EndpointEvent, Lookup } from '../core/endpoints.ts';
import type { InferenceRequest, Prediction } from '../core/inference.ts';
import type { VariantState } from '../core/traffic.ts';
import { BalancedBackend } from '../router/endpoints/balanced-backend.ts';
import type { EndpointName } from '../router/endpoints/name-watch.ts';

/** What balancing needs of the process, for all backends. */
export interface BalancingSources {
  readonly clock: Clock;
  readonly lookup: Lookup;
  /** Why an answer does not fit the model; empty when it does. */
  readonly lie: (model: string, request: InferenceRequest, prediction: Prediction) => string;
  readonly onEndpoint: (model: string, variant: string, event: EndpointEvent) => void;
}

export interface BalancedVariant {
  readonly model: string;
  readonly variant: string;
  readonly state: VariantState;
  /** Longest that a request of the model may take. */
  readonly timeoutMs: number;
  /** Makes the backend of one endpoint. */
  readonly make: (endpoint: EndpointAddress) => Backend;
}

/** The endpoints of a variant's config behind one backend, shown on the variant's state. */
export function balanced(
  config: GrpcBackendConfig | HttpBackendConfig,
  { model, variant, state, timeoutMs, make }: BalancedVariant,
  { clock, lookup, lie, onEndpoint }: BalancingSources,
): Backend {
  const backend = new BalancedBackend({
    kind: config.kind,
    names: config.endpoints.map(nameOf),
    settings: config,
    patienceMs: patienceOf(config, timeoutMs),
    make,
    lie: (request, prediction) => lie(model, request, prediction),
    lookup,
    clock,
    random: Math.random,
    onEvent: (event) => onEndpoint(model, variant, event),
  });
  state.endpoints = backend;
  return backend;
}

function nameOf(name: string): EndpointName {
  const host = hostOf(name);
  return { name, host: isIP(host) === 0 ? host : '' };
}

/**
 * A caller that grants little time must not be able to have endpoints ejected: less than half of what the model's config grants says
 * nothing. What config itself sets as the longest wait for an answer counts in full.
 */
function patienceOf(config: GrpcBackendConfig | HttpBackendConfig, timeoutMs: number): number {
  const half = timeoutMs / 2;
  return config.kind === 'http' && config.firstByteTimeoutMs !== null ? Math.min(half, config.firstByteTimeoutMs) : half;
}
