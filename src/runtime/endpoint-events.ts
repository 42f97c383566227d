import type { EndpointEvent } from '../core/endpoints.ts';
import type { Log } from '../telemetry/access-log.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export interface EndpointEventsOptions {
  readonly log: Log;
  readonly metrics: Metrics;
  /** All endpoints of a variant are out for this reason; an empty one says that they no longer are. */
  readonly onLost: (model: string, variant: string, reason: string) => void;
}

/** Writes what happens to endpoints into log and metrics, and lets the readiness of their variant follow. */
export class EndpointEvents {
  readonly #o: EndpointEventsOptions;

  constructor(options: EndpointEventsOptions) {
    this.#o = options;
  }

  on(model: string, variant: string, event: EndpointEvent): void {
    const { log, metrics, onLost } = this.#o;
    const of = { model, variant };
    switch (event.is) {
      case 'admitted':
        log.info('endpoint admitted', { ...of, endpoint: event.endpoint });
        return;
      case 'ejected':
        metrics.ejected(model, variant, event.cause);
        log.warn('endpoint ejected', { ...of, endpoint: event.endpoint, cause: event.cause, forMs: event.forMs });
        return;
      case 'unhealthy':
        log.warn('endpoint unhealthy', { ...of, endpoint: event.endpoint });
        return;
      case 'kept-out':
        log.warn('endpoint kept out', { ...of, endpoint: event.endpoint, reason: event.reason });
        return;
      case 'appeared':
        log.debug('endpoint appeared', { ...of, endpoint: event.endpoint });
        return;
      case 'vanished':
        log.info('endpoint vanished', { ...of, endpoint: event.endpoint });
        return;
      case 'unresolved':
        log.warn('endpoint name unresolved', { ...of, name: event.name, reason: event.reason });
        return;
      case 'lost':
        onLost(model, variant, event.reason);
        return;
      case 'found':
        onLost(model, variant, '');
        return;
      default:
        event satisfies never;
    }
  }
}
