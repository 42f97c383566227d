import type { Front } from '../../core/exchange.ts';
import { ServingStatus } from '../../wire/oip/health-messages.ts';
import type { HealthWatch } from './health-watch.ts';

/** How soon a change is told. Readiness hangs on every backend and on the operator, so it is asked for rather than announced. */
const INTERVAL_MS = 250;

/** Everyone who watches the health of this gateway. */
export class HealthWatches {
  readonly front: Front;
  readonly #isReady: () => boolean;
  readonly #open = new Set<HealthWatch>();
  #timer: NodeJS.Timeout | null = null;

  constructor(front: Front, isReady: () => boolean) {
    this.front = front;
    this.#isReady = isReady;
  }

  get size(): number {
    return this.#open.size;
  }

  add(watch: HealthWatch): void {
    this.#open.add(watch);
    this.#timer ??= setInterval(() => this.#tell(), INTERVAL_MS).unref();
  }

  remove(watch: HealthWatch): void {
    this.#open.delete(watch);
    if (this.#open.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  drain(): void {
    for (const watch of [...this.#open]) watch.drain();
  }

  #tell(): void {
    const status = this.#isReady() ? ServingStatus.Serving : ServingStatus.NotServing;
    for (const watch of this.#open) watch.update(status);
  }
}
