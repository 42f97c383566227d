import { Fault, type FaultKind } from '../../core/faults.ts';
import { copyInTurns } from '../../core/turns.ts';
import type { Job } from './job.ts';
import type { StartThread, ThreadPort } from './thread-file.ts';
import type { FromThread } from './thread-messages.ts';

/** Typed arrays of any datatype may begin at such a place. */
const ALIGNMENT = 8;

export interface ThreadOwner {
  /** It can take another job. */
  freed(): void;
  /** It has ended by itself, or was ended because of its job. `useful` says whether it has finished any. */
  ended(thread: PoolThread, reason: string, useful: boolean): void;
}

/** One thread from its start to its end. It has one job at a time, so nobody suffers for what another's job did to it. */
export class PoolThread {
  readonly #port: ThreadPort;
  readonly #owner: ThreadOwner;
  readonly #timeoutMs: number;
  #job: Job | null = null;
  #useful = false;
  #over = false;

  constructor(name: string, start: StartThread, owner: ThreadOwner, timeoutMs: number) {
    this.#owner = owner;
    this.#timeoutMs = timeoutMs;
    this.#port = start(name);
    this.#port.on('message', (message) => this.#hear(message as FromThread));
    this.#port.on('error', (error) => this.#fail(error));
    this.#port.on('exit', (code) => this.#die(Fault.Bug, `The thread that worked on it exited with code ${code}.`));
    // A thread without work keeps no process alive.
    this.#port.unref();
  }

  get idle(): boolean {
    return this.#job === null && !this.#over;
  }

  /** Copies the bytes of `job` and hands it over. */
  take(job: Job): void {
    this.#job = job;
    job.timer = setTimeout(() => this.#tooLong(), this.#timeoutMs);
    const places: number[] = [];
    const offsets: number[] = [];
    let size = 0;
    for (const piece of job.bytes) {
      offsets.push(size);
      places.push(size, piece.length);
      size += Math.ceil(piece.length / ALIGNMENT) * ALIGNMENT;
    }
    const buffer = new ArrayBuffer(size);
    const copied = copyInTurns(job.bytes, offsets, new Uint8Array(buffer));
    if (copied instanceof Promise) void copied.then(() => this.#post(job, buffer, places));
    else this.#post(job, buffer, places);
  }

  async stop(): Promise<void> {
    this.#over = true;
    this.#drop(Fault.Draining, '');
    await this.#port.terminate();
  }

  #post(job: Job, buffer: ArrayBuffer, places: readonly number[]): void {
    if (this.#over || this.#job !== job) return;
    // Whoever it was for left while it was copied.
    if (job.over) this.#free();
    else this.#port.postMessage({ task: job.task, input: job.input, buffer, places }, [buffer]);
  }

  #hear(answer: FromThread): void {
    const job = this.#job;
    if (this.#over || job === null) return;
    this.#useful = true;
    if (answer.is === 'done') job.finish({ value: answer.value, bytes: answer.bytes });
    else job.fail(Fault.Bug, `A thread failed at ${job.task}: ${answer.reason}`);
    this.#free();
  }

  #free(): void {
    if (this.#job!.timer !== null) clearTimeout(this.#job!.timer);
    this.#job = null;
    this.#owner.freed();
  }

  #tooLong(): void {
    this.#die(Fault.DeadlineOver, `The work on its bytes took more than ${this.#timeoutMs} ms.`);
    void this.#port.terminate();
  }

  #fail(error: unknown): void {
    const { code } = error as { code?: string };
    if (code === 'ERR_WORKER_OUT_OF_MEMORY') {
      this.#die(Fault.BodyTooLarge, 'The work on its bytes takes more memory than a thread has; send fewer values.');
    } else this.#die(Fault.Bug, `The thread that worked on it ended: ${String(error)}`);
  }

  #die(kind: FaultKind, detail: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#drop(kind, detail);
    this.#owner.ended(this, detail, this.#useful);
  }

  #drop(kind: FaultKind, detail: string): void {
    const job = this.#job;
    this.#job = null;
    if (job === null) return;
    if (job.timer !== null) clearTimeout(job.timer);
    job.fail(kind, detail);
  }
}
