import type { Pending } from '../../core/backend.ts';
import { Fault, type FaultKind, GatewayError } from '../../core/faults.ts';
import type { Offloaded, Waiting } from '../../core/offload.ts';

/** One task on its way: it waits, it runs, it is over. As the `call` of who waits for it, it can be cancelled. */
export class Job implements Pending {
  readonly task: string;
  readonly input: unknown;
  readonly bytes: readonly Uint8Array[];
  readonly #waiting: Waiting;
  readonly #left: (job: Job) => void;
  readonly #settled = Promise.withResolvers<Offloaded<unknown>>();
  timer: NodeJS.Timeout | null = null;
  over = false;

  /** `left` hears that nobody waits any more. */
  constructor(
    work: { readonly task: string; readonly input: unknown; readonly bytes: readonly Uint8Array[] },
    waiting: Waiting,
    left: (job: Job) => void,
  ) {
    this.task = work.task;
    this.input = work.input;
    this.bytes = work.bytes;
    this.#waiting = waiting;
    this.#left = left;
    waiting.call = this;
  }

  get promise(): Promise<Offloaded<unknown>> {
    return this.#settled.promise;
  }

  finish(done: Offloaded<unknown>): void {
    if (this.#end()) this.#settled.resolve(done);
  }

  fail(kind: FaultKind, detail: string): void {
    if (this.#end()) this.#settled.reject(new GatewayError(kind, detail));
  }

  cancel(): void {
    if (this.over) return;
    this.fail(Fault.ClientGone, '');
    this.#left(this);
  }

  #end(): boolean {
    if (this.over) return false;
    this.over = true;
    if (this.#waiting.call === this) this.#waiting.call = null;
    return true;
  }
}
