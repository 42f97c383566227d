import type { SupervisionConfig } from '../../config/process-schema.ts';
import type { Reached } from '../../core/control-plane.ts';
import type { DrainLimits } from '../../core/exchange.ts';
import type { Gives, OrderName, Takes, Truth } from '../ipc/messages.ts';
import { SilenceError } from '../ipc/pending-replies.ts';
import type { SpawnWorker } from '../ipc/worker-process.ts';
import { Generation, type GenerationSpec } from './generation.ts';
import type { Usher } from './usher.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** Between two looks at who is silent, and at who waits. */
const LOOK_MS = 1_000;
/** A worker that does not tell its figures in this time is counted with those it told last. */
const REPORT_TIMEOUT_MS = 1_000;
/** Between two looks at what a new generation can answer. */
const READY_STEP_MS = 100;

export interface FleetOptions {
  readonly spawn: SpawnWorker;
  readonly usher: Usher;
  readonly nowMs: () => number;
  readonly ended: (worker: WorkerHandle, replaced: boolean) => void;
}

/** What a change has come to: what those gave who took it over, and how many these are. */
export interface Broadcast<Name extends OrderName> {
  readonly gives: readonly Gives<Name>[];
  readonly reached: Reached;
  /** Why workers refused; not those who were silent, which are gone. */
  readonly problems: readonly string[];
}

/** What a new generation changes besides its workers. */
export interface Change {
  /** What the new workers begin with, asked whenever one begins. */
  readonly truth: () => Truth;
  /** They are about to serve: what belongs to them is in force from here on. */
  readonly adopt: () => void;
}

export type RollOutcome =
  | { readonly is: 'rolled'; readonly generation: number }
  | { readonly is: 'busy' }
  | { readonly is: 'failed'; readonly problem: string };

/** All workers: the generation that serves, the one that comes, and those that end. */
export class Fleet {
  readonly #o: FleetOptions;
  /** Each with the promise of its end. */
  readonly #ending = new Map<Generation, Promise<void>>();
  #current: Generation | null = null;
  #next: Generation | null = null;
  #count = 0;
  #stopping = false;
  #lookedMs: number;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: FleetOptions) {
    this.#o = options;
    this.#lookedMs = options.nowMs();
  }

  get generation(): number {
    return this.#current === null ? 0 : this.#current.number;
  }

  /** Those of the generation that serves, those that start and those that end. */
  get all(): readonly WorkerHandle[] {
    return [this.#current, this.#next, ...this.#ending.keys()].flatMap((generation) =>
      generation === null ? [] : generation.members,
    );
  }

  /** Those who may answer a request: a change must reach them all. */
  get live(): readonly WorkerHandle[] {
    return this.all.filter(({ state }) => state === 'serving' || state === 'draining');
  }

  get serving(): readonly WorkerHandle[] {
    return (this.#current?.members ?? []).filter(({ state }) => state === 'serving');
  }

  /** Resolves when every worker is up and takes connections, or when it was stopped meanwhile. Rejects with a LaunchError. */
  async start(spec: GenerationSpec, truth: () => Truth): Promise<void> {
    const first = this.#generation(spec, truth);
    this.#next = first;
    try {
      await first.launch();
    } catch (error) {
      if (!this.#stopping) throw error;
    }
    if (this.#stopping) return;
    this.#next = null;
    this.#current = first;
    this.#lookedMs = this.#o.nowMs();
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    first.serve();
  }

  /** A new generation in the place of the old one, all or nothing. Resolves when it serves; the old one ends behind that. */
  async roll(spec: GenerationSpec, change: Change): Promise<RollOutcome> {
    const former = this.#current;
    if (this.#next !== null || former === null || this.#stopping) return { is: 'busy' };
    const next = this.#generation(spec, change.truth);
    this.#next = next;
    try {
      const untilMs = this.#o.nowMs() + spec.supervision.startTimeoutMs;
      await next.launch();
      const unready = await this.#unreadyOf(next, await this.#readyIn(former), untilMs);
      if (unready.length > 0) throw new Error(`ready before and not in the new workers: ${unready.join(', ')}`);
      if (this.#stopping) throw new Error('the gateway is shutting down');
      if (next.members.length < spec.size) throw new Error('a new worker ended before it served');
    } catch (error) {
      this.#next = null;
      await next.kill();
      return { is: 'failed', problem: (error as Error).message };
    }
    this.#next = null;
    this.#current = next;
    change.adopt();
    next.serve();
    this.#retire(former, former.spec.drain);
    return { is: 'rolled', generation: next.number };
  }

  /**
   * Asks all who may answer a request; whoever is silent for too long is ended, so that nobody goes on without the change. What is known
   * after `answerMs` is the answer, and the rest goes on behind it.
   */
  async broadcast<Name extends OrderName>(
    name: Name,
    takes: Takes<Name>,
    timeoutMs: number,
    answerMs = timeoutMs,
  ): Promise<Broadcast<Name>> {
    const asked = this.live;
    const gives: Gives<Name>[] = [];
    const problems: string[] = [];
    let unconcerned = 0;
    const done = Promise.all(
      asked.map(async (worker) => {
        try {
          gives.push(await worker.ask(name, takes, timeoutMs));
        } catch (error) {
          if (error instanceof SilenceError) worker.kill('silent', `did not take over "${name}": ${error.message}`);
          // One that ends may be of a former config, and cannot know what is changed now. One that has ended answers nobody without it.
          else if (worker.state === 'draining' || worker.state === 'gone') unconcerned++;
          else problems.push((error as Error).message);
        }
      }),
    );
    await (answerMs < timeoutMs ? within(done, answerMs) : done);
    return {
      gives: [...gives],
      problems: [...problems],
      reached: { acknowledged: gives.length, total: asked.length - unconcerned },
    };
  }

  /** Asks for what they know those who serve, or others. Whoever is silent is left out, and lives on: to ask changes nothing. */
  async gather<Name extends OrderName>(
    name: Name,
    takes: Takes<Name>,
    timeoutMs: number,
    whom = this.serving,
  ): Promise<readonly Gives<Name>[]> {
    const answers = await Promise.allSettled(whom.map((worker) => worker.ask(name, takes, timeoutMs)));
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  }

  /** Has all live workers tell their figures. */
  async report(): Promise<void> {
    await Promise.all(this.live.map((worker) => this.#reportOf(worker)));
  }

  /** Clients are told that this gateway goes, while it still takes their requests. */
  quiesce(supervision: SupervisionConfig): Promise<unknown> {
    this.#stopping = true;
    // One that is too busy to answer is drained all the same: its end is no reason to lose what it has in flight.
    return this.gather('quiesce', null, supervision.acknowledgeTimeoutMs);
  }

  /** Resolves when no worker is left. */
  async drain(limits: DrainLimits): Promise<void> {
    this.#stopping = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    const next = this.#next?.kill();
    if (this.#current !== null) this.#retire(this.#current, limits);
    this.#current = null;
    await Promise.all([next, ...this.#ending.values()]);
  }

  /** At once, and without a word. */
  kill(): void {
    for (const worker of this.all) worker.kill('exit', 'the gateway was stopped at once');
  }

  #retire(generation: Generation, limits: DrainLimits): void {
    this.#ending.set(
      generation,
      generation.retire(limits).finally(() => this.#ending.delete(generation)),
    );
  }

  #generation(spec: GenerationSpec, truth: () => Truth): Generation {
    return new Generation(++this.#count, spec, {
      spawn: this.#o.spawn,
      truth,
      nowMs: this.#o.nowMs,
      changed: () => this.#o.usher.showTo(this.serving),
      took: () => this.#o.usher.seat(),
      ended: (worker, replaced) => {
        this.#o.usher.showAgain(worker.takeBack());
        this.#o.ended(worker, replaced);
      },
    });
  }

  async #reportOf(worker: WorkerHandle): Promise<void> {
    try {
      worker.keep(await worker.ask('report', null, REPORT_TIMEOUT_MS));
    } catch {
      // The figures it pushed last are at most a second old, and whether it hangs is judged by its silence.
    }
  }

  async #readyIn(generation: Generation): Promise<ReadonlySet<string>> {
    await Promise.all(generation.members.filter(({ state }) => state === 'serving').map((worker) => this.#reportOf(worker)));
    return new Set(generation.members.flatMap((worker) => variantsOf(worker, true)));
  }

  /** Variants that answered until now and would not answer in the new generation: a server may need more than one try. */
  async #unreadyOf(next: Generation, readyBefore: ReadonlySet<string>, untilMs: number): Promise<readonly string[]> {
    for (;;) {
      await Promise.all(next.members.map((worker) => this.#reportOf(worker)));
      const unready = next.members.flatMap((worker) => variantsOf(worker, false).filter((name) => readyBefore.has(name)));
      if (unready.length === 0 || this.#stopping || this.#o.nowMs() >= untilMs) return [...new Set(unready)];
      await new Promise((done) => setTimeout(done, READY_STEP_MS));
    }
  }

  #look(): void {
    const nowMs = this.#o.nowMs();
    // This process itself stood still, as on a machine that was asleep: what the workers have said meanwhile is not read yet.
    const stoodStill = nowMs - this.#lookedMs > 2 * LOOK_MS;
    this.#lookedMs = nowMs;
    this.#o.usher.seat();
    const { silenceTimeoutMs } = this.#current!.spec.supervision;
    for (const worker of this.live) {
      if (stoodStill) worker.heardMs = nowMs;
      else if (nowMs - worker.heardMs > silenceTimeoutMs) worker.kill('silent', `said nothing for ${silenceTimeoutMs} ms`);
    }
  }
}

/** Resolves with `work`, or when the time is over. */
async function within(work: Promise<unknown>, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([work, promise]);
  clearTimeout(timer);
}

function variantsOf(worker: WorkerHandle, ready: boolean): string[] {
  return worker.report.plans.flatMap(({ model, variants }) =>
    variants
      .filter(({ readiness }) => (readiness === 'ready') === ready && readiness !== 'unloaded')
      .map(({ name }) => `${model}/${name}`),
  );
}
