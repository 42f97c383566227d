import { Fault, GatewayError } from '../../core/faults.ts';
import type { Signature } from '../../core/signature.ts';
import type { Lane } from './lane.ts';
import type { Loaded, SessionSpec } from './thread-messages.ts';

/** One model in all threads: what it was when it was first loaded, and how its later loads went. */
export class HostedSession {
  readonly spec: SessionSpec;
  readonly #threads: number;
  readonly #providers = new Set<string>();
  readonly #skipped = new Set<string>();
  /** Why the last load failed, by thread. */
  readonly #troubles = new Map<string, string>();
  #signature: Signature | null = null;
  lane: Lane | null = null;

  constructor(spec: SessionSpec, threads: number) {
    this.spec = spec;
    this.#threads = threads;
  }

  /** Known after the first load. */
  get signature(): Signature {
    if (this.#signature === null) throw new GatewayError(Fault.Bug, 'A signature was asked for before its model was loaded.');
    return this.#signature;
  }

  /** It was loaded once, so that another thread may be expected to load it too. */
  get proven(): boolean {
    return this.#signature !== null;
  }

  /** The execution providers in use; more than one when threads differ. */
  get providers(): readonly string[] {
    return [...this.#providers];
  }

  /** Providers that could not be taken, each with the reason. */
  get skipped(): readonly string[] {
    return [...this.#skipped];
  }

  /** Notes a load. Throws when the model is not the one that the other threads run. */
  accept(thread: string, loaded: Loaded): void {
    if (this.#signature !== null && JSON.stringify(this.#signature) !== JSON.stringify(loaded.signature)) {
      throw new GatewayError(
        Fault.BackendFailed,
        `The file ${this.spec.path} has other inputs or outputs than when it was first loaded. Put the old file back, or configure the new one as a variant of its own.`,
      );
    }
    this.#signature ??= loaded.signature;
    this.#providers.add(loaded.provider);
    for (const reason of loaded.skipped) this.#skipped.add(reason);
    this.#troubles.delete(thread);
    this.#tellLane('');
  }

  /** Notes that a thread which came back could not load it again. */
  reject(thread: string, reason: string): void {
    this.#troubles.set(thread, reason);
    this.#tellLane(reason);
  }

  #tellLane(reason: string): void {
    if (this.lane !== null) this.lane.trouble = this.#troubles.size < this.#threads ? '' : reason;
  }
}
