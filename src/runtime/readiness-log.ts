import type { Variant } from '../core/traffic.ts';
import type { Log } from '../telemetry/access-log.ts';

/** Tells the log whether a variant takes traffic, and why not. */
export function logReadiness(log: Log, model: string, variant: Variant): void {
  const { readiness } = variant.state;
  const fields = { model, variant: variant.name, backend: variant.backend.kind, target: variant.backend.target };
  if (readiness.is === 'ready') log.info('variant ready', fields);
  else log.warn('variant not ready', { ...fields, state: readiness.is, reason: readiness.reason });
}
