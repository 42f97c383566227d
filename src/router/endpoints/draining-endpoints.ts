import type { Endpoint } from './endpoint.ts';

/** Endpoints that take no more calls: each is closed after its last call, or when its time is over. */
export class DrainingEndpoints {
  readonly #drainMs: number;
  readonly #timers = new Map<Endpoint, NodeJS.Timeout>();
  readonly #closings = new Set<Promise<void>>();

  constructor(drainMs: number) {
    this.#drainMs = drainMs;
  }

  get all(): readonly Endpoint[] {
    return [...this.#timers.keys()];
  }

  add(endpoint: Endpoint): void {
    endpoint.draining = true;
    this.#timers.set(
      endpoint,
      setTimeout(() => this.cut(endpoint), this.#drainMs),
    );
    if (endpoint.inFlight === 0) this.cut(endpoint);
  }

  /** Closes an endpoint, and its calls if there are any left. */
  cut(endpoint: Endpoint): void {
    const timer = this.#timers.get(endpoint);
    if (timer === undefined) return;
    clearTimeout(timer);
    this.#timers.delete(endpoint);
    const closing = endpoint.backend.close().finally(() => this.#closings.delete(closing));
    this.#closings.add(closing);
  }

  async close(): Promise<void> {
    for (const endpoint of this.all) this.cut(endpoint);
    await Promise.all(this.#closings);
  }
}
