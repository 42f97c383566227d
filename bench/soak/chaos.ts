/** What befalls the backends and the connections while the soak runs: one thing after another, each as often as the others. */

import type { BackendProcess } from './backend-process.ts';
import type { Relay } from './relay.ts';

const LEAST_PAUSE_MS = 600;
const MOST_PAUSE_MS = 1_800;
const DOWN_MS = 300;

export class Chaos {
  /** How often each thing was done. */
  readonly done = new Map<string, number>();
  readonly #backends: readonly BackendProcess[];
  readonly #relay: Relay;
  readonly #random: () => number;
  #running = true;
  #next = 0;
  #wake: () => void = () => undefined;

  constructor(backends: readonly BackendProcess[], relay: Relay, random: () => number) {
    this.#backends = backends;
    this.#relay = relay;
    this.#random = random;
  }

  async run(): Promise<void> {
    this.#running = true;
    const acts = this.#acts();
    while (this.#running) {
      const pauseMs = LEAST_PAUSE_MS + this.#random() * (MOST_PAUSE_MS - LEAST_PAUSE_MS);
      await new Promise<void>((done) => {
        this.#wake = done;
        setTimeout(done, pauseMs);
      });
      if (!this.#running) return;
      const [name, act] = acts[this.#next++ % acts.length]!;
      this.done.set(name, (this.done.get(name) ?? 0) + 1);
      await act();
    }
  }

  /** No more of it; `run` resolves when what is under way is over. */
  stop(): void {
    this.#running = false;
    this.#wake();
  }

  #acts(): readonly (readonly [name: string, act: () => Promise<void> | void])[] {
    const acts: (readonly [string, () => Promise<void> | void])[] = [];
    for (const backend of this.#backends) {
      acts.push(
        [`GOAWAY of a backend`, () => backend.order('goaway')],
        ['a client connection reset', () => this.#relay.kill(1, this.#random)],
        [`connections of a backend reset`, () => backend.order('cut')],
        [`a backend that stands still`, () => backend.order('stall')],
        ['half of the client connections reset', () => this.#relay.kill(6, this.#random)],
        [`a backend killed`, () => backend.restart(DOWN_MS)],
      );
    }
    return acts;
  }
}
