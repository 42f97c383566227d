import type { Clock } from '../../core/clock.ts';
import { Fault, type FaultKind, GatewayError } from '../../core/faults.ts';
import { Dispatcher } from './dispatcher.ts';
import { HostedSession } from './hosted-session.ts';
import type { Lane } from './lane.ts';
import type { OnnxCall } from './onnx-call.ts';
import type { OnnxThread } from './onnx-thread.ts';
import { type StartThread, startThread } from './thread-file.ts';
import type { SessionSpec } from './thread-messages.ts';
import { ThreadSlot } from './thread-slot.ts';

const SWEEP_MS = 100;
/** A run that nobody has waited for this long is taken for one that hangs. */
const FORSAKEN_MAX_MS = 10_000;
/** Threads that may be left behind at the same time, each in a native call that does not end. */
const ABANDONED_MAX = 1;
const STOPPED = 'the threads that run models have been stopped';

export interface OnnxHostOptions {
  readonly threads: number;
  readonly clock: Clock;
  /** A thread has ended that nobody stopped; another takes its place. For a log line. */
  readonly onThreadEnded?: (name: string, reason: string) => void;
  /** Another way to start a thread, for tests. */
  readonly startThread?: StartThread;
}

/**
 * The threads that run models, one host a process. Each thread holds a session of every model, so that any of them can take any run:
 * memory is weights times threads. Threads begin with the first model and end with the last.
 */
export class OnnxHost {
  readonly #clock: Clock;
  readonly #slots: readonly ThreadSlot[];
  readonly #dispatcher: Dispatcher;
  readonly #sessions = new Map<number, HostedSession>();
  readonly #abandoned = new Set<OnnxThread>();
  #lastSession = 0;
  #closed = false;
  /** A run hangs, and no more threads may be left behind. */
  #hung = false;
  #sweeper: NodeJS.Timeout | null = null;
  /** Settles when the threads that are being stopped have stopped. */
  #stopped: Promise<unknown> = Promise.resolve();

  constructor(options: OnnxHostOptions) {
    this.#clock = options.clock;
    this.#dispatcher = new Dispatcher(options.clock, () => this.#threads());
    const start = options.startThread ?? startThread;
    const ended = options.onThreadEnded ?? (() => {});
    const common = { start, ended, clock: options.clock, sessions: this.#sessions, freed: () => this.#dispatcher.pump() };
    this.#slots = Array.from({ length: options.threads }, (_, i) => new ThreadSlot({ ...common, name: `onnx-${i}` }));
  }

  /**
   * Loads a model into one thread, as the trial, and then into the others at once. Rejects with a GatewayError, and leaves nothing
   * loaded, when one of them refuses it.
   */
  async load(model: Omit<SessionSpec, 'session'>): Promise<HostedSession> {
    await this.#stopped;
    if (this.#closed) throw new GatewayError(Fault.BackendFailed, `The model cannot load: ${STOPPED}.`);
    const session = new HostedSession({ ...model, session: ++this.#lastSession }, this.#slots.length);
    this.#sessions.set(session.spec.session, session);
    for (const slot of this.#slots) slot.start();
    try {
      const trial = this.#slots.find((slot) => slot.thread !== null);
      if (trial === undefined) throw new GatewayError(Fault.BackendFailed, `No thread is up: ${this.#slots[0]!.lastEnd}.`);
      await trial.load(session);
      // A thread that is being replaced loads it when it is back.
      const others = this.#slots.filter((slot) => slot !== trial && slot.thread !== null);
      const loads = await Promise.allSettled(others.map((slot) => slot.load(session)));
      for (const load of loads) if (load.status === 'rejected') throw load.reason;
    } catch (error) {
      await this.unload(session);
      throw error;
    }
    return session;
  }

  /** Lets calls of this model run. */
  serve(session: HostedSession, lane: Lane): void {
    session.lane = lane;
    this.#dispatcher.add(lane);
  }

  /** Refuses what waits, lets what runs end, and frees the model's memory. */
  async unload(session: HostedSession): Promise<void> {
    if (!this.#sessions.delete(session.spec.session)) return;
    if (session.lane !== null) {
      this.#dispatcher.remove(session.lane);
      session.lane.clear('the backend was closed');
    }
    await Promise.all(this.#threads().map((thread) => thread.unload(session.spec.session)));
    if (this.#sessions.size === 0) await this.#stop();
  }

  /** @hot */
  submit(lane: Lane, call: OnnxCall): void {
    this.#dispatcher.submit(lane, call);
    this.#sweeper ??= setInterval(this.#sweep, SWEEP_MS).unref();
  }

  /** Tells the call that it is refused, when the tick is over. */
  refuse(call: OnnxCall, kind: FaultKind, detail: string): void {
    this.#dispatcher.refuse(call, kind, detail);
  }

  /** Whether a thread is there that has this model, and none hangs for good. */
  isServing(session: HostedSession): boolean {
    return !this.#hung && this.#threads().some((thread) => thread.has(session.spec.session));
  }

  /** Ends all threads. Calls that are left hear that the gateway is shutting down. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { lane } of this.#sessions.values()) {
      if (lane === null) continue;
      lane.trouble = STOPPED;
      lane.clear(STOPPED);
    }
    this.#sessions.clear();
    await this.#stop();
  }

  async #stop(): Promise<void> {
    this.#stopped = Promise.all(this.#slots.map((slot) => slot.stop()));
    await this.#stopped;
    this.#dispatcher.stop();
    if (this.#sessions.size > 0 || this.#sweeper === null) return;
    clearInterval(this.#sweeper);
    this.#sweeper = null;
  }

  #threads(): OnnxThread[] {
    const threads: OnnxThread[] = [];
    for (let i = 0; i < this.#slots.length; i++) {
      const thread = this.#slots[i]!.thread;
      if (thread !== null) threads.push(thread);
    }
    return threads;
  }

  readonly #sweep = (): void => {
    const nowMs = this.#clock.nowMs();
    let busy = false;
    for (const lane of this.#dispatcher.lanes) {
      lane.expire(nowMs);
      busy ||= lane.waiting;
    }
    this.#hung = false;
    for (const thread of this.#threads()) {
      busy ||= !thread.idle;
      if (thread.forsakenMs(nowMs) >= FORSAKEN_MAX_MS) this.#leave(thread);
    }
    if (busy || this.#sweeper === null) return;
    clearInterval(this.#sweeper);
    this.#sweeper = null;
  };

  /** A native call cannot be interrupted: its thread is left behind and another takes its place, but not time and again. */
  #leave(thread: OnnxThread): void {
    if (this.#abandoned.size >= ABANDONED_MAX) {
      this.#hung = true;
      return;
    }
    this.#abandoned.add(thread);
    void thread.exited.then(() => this.#abandoned.delete(thread));
    void thread.abandon(`a run has had no caller for ${FORSAKEN_MAX_MS} ms and does not end`);
  }
}
