import { Fault, GatewayError } from '../../core/faults.ts';
import type { Offload, Offloaded, Task, Waiting } from '../../core/offload.ts';
import { Job } from './job.ts';
import { PoolThread, type ThreadOwner } from './pool-thread.ts';
import { type StartThread, startThread } from './thread-file.ts';

/** A thread that ends before it has finished anything would end again at once. */
const RESTART_MS = 1_000;

export interface PoolOptions {
  readonly threads: number;
  readonly inlineBytes: number;
  /** Jobs that wait for a thread. */
  readonly maxQueued: number;
  /** Longest wait for a thread, and longest run. */
  readonly timeoutMs: number;
  /** A thread has ended that nobody stopped; another takes its place. For a log line. */
  readonly onThreadEnded: (reason: string) => void;
  /** Another way to start a thread, for tests. */
  readonly startThread?: StartThread;
}

/**
 * The threads for long work, and the queue in front of them. Each thread has one job at a time and is replaced when it ends or when its job
 * takes too long. What waits keeps its own bytes: they are copied when a thread is free, so the queue holds nothing that is not held anyway.
 */
export class ThreadPool implements Offload, ThreadOwner {
  readonly inlineBytes: number;
  readonly #o: PoolOptions;
  readonly #threads = new Set<PoolThread>();
  readonly #queue: Job[] = [];
  readonly #restarts = new Set<NodeJS.Timeout>();
  #started = 0;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#o = options;
    this.inlineBytes = options.inlineBytes;
  }

  /** Jobs that wait for a thread now. */
  get length(): number {
    return this.#queue.length;
  }

  start(): void {
    for (let i = 0; i < this.#o.threads; i++) this.#begin();
  }

  run<In, Out>(task: Task<In, Out>, input: In, bytes: readonly Uint8Array[], waiting: Waiting): Promise<Offloaded<Out>> {
    if (this.#closed) return Promise.reject(new GatewayError(Fault.Draining));
    if (this.#queue.length >= this.#o.maxQueued) {
      return Promise.reject(new GatewayError(Fault.Overloaded, 'Too much work on large requests waits already.'));
    }
    const job = new Job({ task: task.name, input, bytes }, waiting, this.#forget);
    job.timer = setTimeout(this.#expire, this.#o.timeoutMs, job);
    this.#queue.push(job);
    this.#pump();
    // The name leads to the task that this very function was given.
    return job.promise as Promise<Offloaded<Out>>;
  }

  freed(): void {
    this.#pump();
  }

  ended(thread: PoolThread, reason: string, useful: boolean): void {
    this.#threads.delete(thread);
    if (this.#closed) return;
    this.#o.onThreadEnded(reason);
    const timer = setTimeout(
      () => {
        this.#restarts.delete(timer);
        this.#begin();
      },
      useful ? 0 : RESTART_MS,
    );
    this.#restarts.add(timer);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#restarts) clearTimeout(timer);
    for (const job of this.#queue.splice(0)) {
      stopTimer(job);
      job.fail(Fault.Draining, '');
    }
    await Promise.all([...this.#threads].map((thread) => thread.stop()));
    this.#threads.clear();
  }

  #begin(): void {
    const name = `offload-${this.#started++}`;
    this.#threads.add(new PoolThread(name, this.#o.startThread ?? startThread, this, this.#o.timeoutMs));
    this.#pump();
  }

  #pump(): void {
    if (this.#queue.length === 0) return;
    for (const thread of this.#threads) {
      if (!thread.idle) continue;
      const job = this.#queue.shift();
      if (job === undefined) return;
      stopTimer(job);
      thread.take(job);
    }
  }

  /** Nobody waits any more for a job. One that runs already runs to its end: only ending its thread would stop it. */
  readonly #forget = (job: Job): void => {
    const at = this.#queue.indexOf(job);
    if (at === -1) return;
    this.#queue.splice(at, 1);
    stopTimer(job);
  };

  readonly #expire = (job: Job): void => {
    this.#forget(job);
    job.fail(Fault.Overloaded, `No thread was free within ${this.#o.timeoutMs} ms for the work on its bytes.`);
  };
}

function stopTimer(job: Job): void {
  if (job.timer !== null) clearTimeout(job.timer);
  job.timer = null;
}
