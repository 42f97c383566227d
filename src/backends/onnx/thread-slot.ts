import type { Clock } from '../../core/clock.ts';
import { Fault, GatewayError } from '../../core/faults.ts';
import { errorText } from './error-text.ts';
import type { HostedSession } from './hosted-session.ts';
import { OnnxThread, type ThreadOwner } from './onnx-thread.ts';
import type { StartThread } from './thread-file.ts';

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 10_000;
/** A thread that lived this long died of something new. */
const CALM_MS = 60_000;

export interface SlotOptions {
  readonly name: string;
  readonly start: StartThread;
  readonly clock: Clock;
  /** What its thread has to have loaded. */
  readonly sessions: ReadonlyMap<number, HostedSession>;
  readonly freed: () => void;
  readonly ended: (name: string, reason: string) => void;
}

/** The place of one thread: puts another there when it ends, later each time, with all sessions loaded again. */
export class ThreadSlot implements ThreadOwner {
  readonly #options: SlotOptions;
  #thread: OnnxThread | null = null;
  #startedMs = 0;
  #deaths = 0;
  #timer: NodeJS.Timeout | null = null;
  /** Why the last thread ended; empty when none has. */
  lastEnd = '';

  constructor(options: SlotOptions) {
    this.#options = options;
  }

  /** Null while there is none. */
  get thread(): OnnxThread | null {
    return this.#thread;
  }

  /** Does nothing when a thread is there or on its way. */
  start(): void {
    if (this.#thread === null && this.#timer === null) this.#begin();
  }

  /** Rejects with a GatewayError that says why. */
  async load(session: HostedSession): Promise<void> {
    const thread = this.#thread;
    if (thread === null) throw new GatewayError(Fault.BackendFailed, `No thread is there to load it: ${this.lastEnd}.`);
    const loaded = await thread.load(session.spec);
    try {
      if (!this.#options.sessions.has(loaded.session)) throw new GatewayError(Fault.BackendFailed, 'The backend was closed.');
      session.accept(this.#options.name, loaded);
    } catch (error) {
      await thread.unload(loaded.session);
      throw error;
    }
  }

  freed(): void {
    this.#options.freed();
  }

  ended(thread: OnnxThread, reason: string): void {
    if (thread !== this.#thread) return;
    this.#thread = null;
    this.lastEnd = reason;
    const calm = this.#options.clock.nowMs() - this.#startedMs >= CALM_MS;
    this.#deaths = calm ? 1 : this.#deaths + 1;
    this.#after(() => this.#begin());
    this.#options.ended(this.#options.name, reason);
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const thread = this.#thread;
    this.#thread = null;
    if (thread !== null) await thread.stop();
  }

  #begin(): void {
    this.#startedMs = this.#options.clock.nowMs();
    this.#thread = new OnnxThread(this.#options.name, this.#options.start, this);
    void this.#fill(this.#thread);
  }

  /** Loads what the thread lacks. Never rejects: what fails is noted with the session, and tried again. */
  async #fill(thread: OnnxThread): Promise<void> {
    let failed = false;
    for (const session of this.#options.sessions.values()) {
      if (thread !== this.#thread) return;
      try {
        if (session.proven && !thread.has(session.spec.session)) await this.load(session);
      } catch (error) {
        failed = true;
        session.reject(this.#options.name, errorText(error));
      }
    }
    if (!failed || thread !== this.#thread) return;
    this.#deaths++;
    this.#after(() => {
      if (thread === this.#thread) void this.#fill(thread);
    });
  }

  #after(act: () => void): void {
    const delayMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(this.#deaths - 1, 30));
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      act();
    }, delayMs);
  }
}
