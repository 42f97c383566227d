import type { Config } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import type { RequestContext } from '../core/context.ts';
import type { Observer } from '../core/observer.ts';
import type { RequestStory } from '../core/request-story.ts';
import type { Log } from './access-log.ts';
import type { Metrics } from './metrics.ts';
import { RequestKinds } from './request-kind.ts';
import { RequestMemory } from './request-memory.ts';
import { openTraces, PassedTraces, type Traces } from './traces.ts';

/** Longest that the end of the process waits for a collector of traces. */
const SHUTDOWN_LIMIT_MS = 3_000;

export interface ObserverOptions {
  readonly config: Config['telemetry'];
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Sees both ends of every request, and is the only one to count, log and trace it. */
export class RequestObserver implements Observer {
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #log: Log;
  readonly #linePerRequest: boolean;
  readonly #kinds = new RequestKinds();
  readonly #memory: RequestMemory;
  readonly #ready: Promise<void>;
  /** Traces are passed on until their recorder is loaded, and for good where none is configured. */
  #traces: Traces = new PassedTraces();

  constructor(options: ObserverOptions) {
    this.#clock = options.clock;
    this.#metrics = options.metrics;
    this.#log = options.log;
    this.#linePerRequest = options.config.accessLog;
    this.#memory = new RequestMemory(options.config.explainRequests);
    options.metrics.watchLog(options.log);
    this.#ready = this.#open(options);
  }

  /** Resolves when traces are recorded as config asks. Never rejects: a gateway without traces still serves. */
  ready(): Promise<void> {
    return this.#ready;
  }

  /** @hot */
  opened(ctx: RequestContext): void {
    this.#metrics.requestOpened(ctx);
    this.#traces.begin(ctx);
  }

  /** Metrics come first: whatever a log or a collector may do wrong, the requests in flight stay right. @hot */
  finished(ctx: RequestContext): void {
    const durationUs = this.#clock.nowUs() - ctx.startedUs;
    this.#metrics.requestFinished(ctx, durationUs);
    this.#traces.end(ctx, durationUs);
    const wallMs = this.#clock.wallMs();
    const kind = this.#kinds.of(ctx);
    this.#memory.note(ctx, kind, durationUs, wallMs);
    if (this.#linePerRequest) this.#log.request(ctx, kind, durationUs, wallMs);
  }

  /** What is still known of requests with this id, newest first. */
  explain(requestId: string): readonly RequestStory[] {
    return this.#memory.find(requestId);
  }

  /** Sends and writes what waits, each for a bounded time. Never rejects. */
  async shutdown(): Promise<void> {
    await this.#ready;
    await this.#traces.shutdown();
    this.#metrics.close();
    await this.#log.flush();
  }

  async #open(options: ObserverOptions): Promise<void> {
    const { config, clock, metrics, log } = options;
    if (config.otlp === null) return;
    try {
      this.#traces = await openTraces(config.otlp, {
        clock,
        log,
        version: metrics.version,
        shutdownLimitMs: SHUTDOWN_LIMIT_MS,
        count: (outcome, spans) => metrics.spans(outcome, spans),
      });
    } catch (error) {
      log.error('traces not recorded', { endpoint: config.otlp.endpoint, err: error });
    }
  }
}
