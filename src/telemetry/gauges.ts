import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';
import type { EndpointView } from '../core/endpoints.ts';
import type { Route, Variant } from '../core/traffic.ts';
import { CATALOGUE, type MetricSpec } from './catalogue.ts';

/** What the gauges look at when they are scraped. */
export interface Watched {
  bodyBytesInFlight(): number;
  cacheBytes(): number;
  cacheEntries(): number;
  shadowQueueLength(): number;
  pressure(): { readonly level: number; readonly memoryShare: number };
  offloadQueueLength(): number;
  routes(): readonly Route[];
}

/** Milliseconds between two looks at the event loop. */
const LOOP_RESOLUTION_MS = 10;
const NANOS_PER_SECOND = 1e9;

/** Gauges that are read from their source at each scrape, and cost a request nothing. */
export class Gauges {
  readonly #registry: Registry;
  readonly #loop: ReturnType<typeof monitorEventLoopDelay>;
  #watched: Watched | null = null;

  constructor(registry: Registry, version: string) {
    this.#registry = registry;
    this.#loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
    this.#loop.enable();
    this.#number(CATALOGUE.bodyBytesInFlight, (watched) => watched.bodyBytesInFlight());
    this.#number(CATALOGUE.cacheBytes, (watched) => watched.cacheBytes());
    this.#number(CATALOGUE.cacheEntries, (watched) => watched.cacheEntries());
    this.#number(CATALOGUE.shadowQueueLength, (watched) => watched.shadowQueueLength());
    this.#number(CATALOGUE.pressureLevel, (watched) => watched.pressure().level);
    this.#number(CATALOGUE.memoryShare, (watched) => watched.pressure().memoryShare);
    this.#number(CATALOGUE.offloadQueueLength, (watched) => watched.offloadQueueLength());
    this.#gauge(CATALOGUE.eventLoopDelayMax, (gauge) => gauge.set(lateness(this.#loop.max)));
    // Collected in this order: the last one begins a new span of time.
    this.#gauge(CATALOGUE.eventLoopDelay, (gauge) => {
      gauge.set(lateness(this.#loop.percentile(99)));
      this.#loop.reset();
    });
    this.#gauge(CATALOGUE.buildInfo, (gauge) => gauge.set({ version }, 1));
    this.#perVariant(CATALOGUE.variantReady, (variant) => (variant.state.readiness.is === 'ready' ? 1 : 0));
    this.#perVariant(CATALOGUE.planWeight, (_variant, shareBp) => shareBp);
    this.#perEndpoint(CATALOGUE.endpointInFlight, ({ inFlight }) => inFlight);
    this.#perEndpoint(CATALOGUE.endpointHealthy, ({ state }) => (state === 'healthy' || state === 'slow-start' ? 1 : 0));
    this.#gauge(CATALOGUE.planRevision, (gauge) => {
      for (const route of this.#watched?.routes() ?? []) gauge.set({ model: route.model }, route.plan.revision);
    });
  }

  watch(watched: Watched): void {
    this.#watched = watched;
  }

  close(): void {
    this.#loop.disable();
  }

  #number(spec: MetricSpec, read: (watched: Watched) => number): void {
    this.#gauge(spec, (gauge) => gauge.set(this.#watched === null ? 0 : read(this.#watched)));
  }

  #perVariant(spec: MetricSpec, read: (variant: Variant, shareBp: number) => number): void {
    this.#gauge(spec, (gauge) => {
      for (const { model, plan } of this.#watched?.routes() ?? []) {
        plan.variants.forEach((variant, i) => {
          gauge.set({ model, variant: variant.name }, read(variant, plan.weights[i]!));
        });
        for (const { variant, sample } of plan.shadows) gauge.set({ model, variant: variant.name }, read(variant, sample));
      }
    });
  }

  #perEndpoint(spec: MetricSpec, read: (view: EndpointView) => number): void {
    this.#gauge(spec, (gauge) => {
      for (const { model, plan } of this.#watched?.routes() ?? []) {
        for (const { name, state } of [...plan.variants, ...plan.shadows.map((share) => share.variant)]) {
          for (const view of state.endpoints.views()) {
            gauge.set({ model, variant: name, endpoint: view.endpoint }, read(view));
          }
        }
      }
    });
  }

  #gauge(spec: MetricSpec, read: (gauge: Gauge) => void): void {
    const gauge: Gauge = new Gauge({
      name: spec.name,
      help: spec.help,
      labelNames: [...spec.labels],
      registers: [this.#registry],
      collect: () => {
        // A variant that left the plan leaves the scrape as well.
        gauge.reset();
        read(gauge);
      },
    });
  }
}

/** Seconds. The monitor records whole intervals between its ticks, so one tick's own length comes off. */
function lateness(intervalNs: number): number {
  return Math.max(0, intervalNs / NANOS_PER_SECOND - LOOP_RESOLUTION_MS / 1000);
}
