import type { EndpointState, EndpointView } from '../../core/endpoints.ts';
import type { Endpoint } from './endpoint.ts';

/** An endpoint as operators see it. */
export function endpointView(endpoint: Endpoint, nowMs: number): EndpointView {
  const { standing } = endpoint;
  return {
    endpoint: endpoint.label,
    state: stateOf(endpoint, nowMs),
    reason: reasonOf(endpoint),
    ejectedForMs: standing.is === 'ejected' ? Math.max(0, standing.untilMs - nowMs) : 0,
    inFlight: endpoint.inFlight,
    latencyMs: Math.round(endpoint.latency.at(nowMs)) / 1000,
    ejections: endpoint.ejections,
  };
}

function stateOf(endpoint: Endpoint, nowMs: number): EndpointState {
  if (endpoint.draining) return 'draining';
  const { is } = endpoint.standing;
  if (is !== 'open') return is;
  if (!endpoint.probes.healthy) return 'unhealthy';
  return endpoint.weight(nowMs) < 1 ? 'slow-start' : 'healthy';
}

function reasonOf(endpoint: Endpoint): string {
  const { standing } = endpoint;
  if (endpoint.draining) return 'its name no longer stands for it';
  if (standing.is === 'warming' || standing.is === 'mismatched') return standing.reason;
  if (!endpoint.probes.healthy) return 'its probes fail';
  return standing.is === 'ejected' || standing.is === 'probation' ? 'its calls failed' : '';
}
