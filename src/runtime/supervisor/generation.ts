import type { SupervisionConfig } from '../../config/process-schema.ts';
import type { DrainLimits } from '../../core/exchange.ts';
import type { Truth, WorkerStart } from '../ipc/messages.ts';
import { errorOf } from '../ipc/start-failure.ts';
import type { SpawnWorker } from '../ipc/worker-process.ts';
import type { LeaseDesk } from './lease-desk.ts';
import { RestartDelay } from './restart-delay.ts';
import { WorkerHandle } from './worker-handle.ts';

/** What all workers of a generation are made from. */
export interface GenerationSpec {
  readonly size: number;
  /** Without what was changed since the start, which is asked for whenever a worker begins, and without its place. */
  readonly start: Omit<WorkerStart, 'truth' | 'number'>;
  /** Where its workers borrow tokens and places. */
  readonly desk: LeaseDesk;
  readonly supervision: SupervisionConfig;
  readonly drain: DrainLimits;
}

export interface GenerationHouse {
  readonly spawn: SpawnWorker;
  readonly truth: () => Truth;
  readonly nowMs: () => number;
  /** Another set of its workers serves. */
  readonly changed: () => void;
  /** A worker has caught up with the connections it was handed. */
  readonly took: () => void;
  /** A worker has ended; `replaced` says whether another comes in its place. */
  readonly ended: (worker: WorkerHandle, replaced: boolean) => void;
}

/** Time for a drained worker to close what it holds and to write its last lines. */
const LAST_WORDS_MS = 10_000;

/**
 * Workers that were made from the same config and serve together. They begin together or not at all; from then on whoever ends is replaced,
 * until the generation itself is told to end.
 */
export class Generation {
  readonly number: number;
  readonly spec: GenerationSpec;
  readonly #house: GenerationHouse;
  readonly #members = new Map<number, WorkerHandle>();
  readonly #delays: readonly RestartDelay[];
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #launched = Promise.withResolvers<void>();
  #phase: 'starting' | 'serving' | 'ending' = 'starting';
  #up = 0;
  #emptied: (() => void) | null = null;

  constructor(number: number, spec: GenerationSpec, house: GenerationHouse) {
    this.number = number;
    this.spec = spec;
    this.#house = house;
    this.#delays = Array.from({ length: spec.size }, () => new RestartDelay(spec.supervision));
    // Whoever ends it before it is up has asked nobody to wait.
    this.#launched.promise.catch(() => undefined);
  }

  /** All there are, in whatever state. */
  get members(): readonly WorkerHandle[] {
    return [...this.#members.values()];
  }

  /** Resolves when all workers are up. Rejects with the first that cannot, and then none is left. */
  launch(): Promise<void> {
    for (let number = 0; number < this.spec.size; number++) this.#begin(number);
    return this.#launched.promise;
  }

  /** From here on they get traffic, and those who end are replaced. */
  serve(): void {
    this.#phase = 'serving';
    for (const worker of this.#members.values()) this.#admit(worker);
    this.#house.changed();
  }

  /** No traffic from here on; resolves when the last exchange has ended and every process with it. */
  async retire(limits: DrainLimits): Promise<void> {
    this.#end();
    const drains = this.members.map((worker) => this.#drain(worker, limits));
    this.#house.changed();
    await Promise.all(drains);
    await this.#empty();
  }

  /** At once. */
  async kill(): Promise<void> {
    this.#end();
    for (const worker of this.#members.values()) worker.kill('exit', 'is not needed any more');
    await this.#empty();
  }

  #begin(number: number): void {
    const { start, supervision } = this.spec;
    const events = {
      up: (worker: WorkerHandle) => this.#risen(worker),
      took: () => this.#house.took(),
      gone: (worker: WorkerHandle) => this.#gone(worker),
    };
    const { spawn, nowMs } = this.#house;
    const worker = new WorkerHandle({ number, generation: this.number }, spawn(), { events, desk: this.spec.desk, nowMs });
    this.#members.set(number, worker);
    worker.begin({ ...start, number, truth: this.#house.truth() });
    const { startTimeoutMs } = supervision;
    this.#after(startTimeoutMs, () => {
      if (worker.state === 'starting' && !worker.isUp) worker.kill('start', `did not serve within ${startTimeoutMs} ms`);
    });
  }

  #risen(worker: WorkerHandle): void {
    if (this.#phase === 'starting') {
      if (++this.#up === this.spec.size) this.#launched.resolve();
      return;
    }
    if (this.#phase === 'ending') return;
    this.#admit(worker);
    this.#house.changed();
  }

  /** What was changed while it started goes before its first connection: one pipe keeps the order. */
  #admit(worker: WorkerHandle): void {
    worker.state = 'serving';
    worker.servesSinceMs = this.#house.nowMs();
    const { acknowledgeTimeoutMs } = this.spec.supervision;
    worker.ask('truth', this.#house.truth(), acknowledgeTimeoutMs).catch((error: Error) => {
      worker.kill('silent', `did not take over the state of the gateway: ${error.message}`);
    });
  }

  #gone(worker: WorkerHandle): void {
    this.#members.delete(worker.number);
    const replaced = this.#phase === 'serving';
    if (this.#phase === 'starting') {
      this.#launched.reject(new LaunchError(worker));
      void this.kill();
    } else {
      this.#house.changed();
    }
    this.#house.ended(worker, replaced);
    if (replaced) {
      const livedMs = worker.servesSinceMs < 0 ? 0 : this.#house.nowMs() - worker.servesSinceMs;
      this.#after(this.#delays[worker.number]!.after(livedMs), () => this.#begin(worker.number));
    }
    if (this.#members.size === 0) this.#emptied?.();
  }

  async #drain(worker: WorkerHandle, { graceMs }: DrainLimits): Promise<void> {
    if (worker.state !== 'serving') {
      worker.kill('exit', 'had not begun to serve');
      return;
    }
    worker.state = 'draining';
    try {
      worker.keep(await worker.ask('drain', null, graceMs + LAST_WORDS_MS));
      const late = setTimeout(() => worker.kill('silent', 'did not end after its drain'), LAST_WORDS_MS);
      void worker.whenGone.then(() => clearTimeout(late));
    } catch (error) {
      worker.kill('silent', `did not drain: ${(error as Error).message}`);
    }
  }

  #end(): void {
    this.#phase = 'ending';
    this.#launched.reject(new Error('ended before it was up'));
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #empty(): Promise<void> {
    if (this.#members.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const before = this.#emptied;
      this.#emptied = () => {
        before?.();
        resolve();
      };
    });
  }

  #after(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, ms);
    this.#timers.add(timer);
  }
}

/** A generation cannot begin, since one of its workers cannot. */
export class LaunchError extends Error {
  override readonly name = 'LaunchError';
  readonly worker: WorkerHandle;

  constructor(worker: WorkerHandle) {
    super(worker.failure === null ? `A worker could not begin: ${worker.problem}.` : errorOf(worker.failure).message);
    this.worker = worker;
  }
}

/** A worker's reason not to begin, as the error that it was there. */
export function asOurs(error: unknown): unknown {
  return error instanceof LaunchError && error.worker.failure !== null ? errorOf(error.worker.failure) : error;
}
