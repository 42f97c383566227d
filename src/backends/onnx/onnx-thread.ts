import { Fault, type FaultKind, GatewayError } from '../../core/faults.ts';
import type { Batch } from './batch.ts';
import type { Hand } from './dispatcher.ts';
import { errorText } from './error-text.ts';
import type { StartThread, ThreadPort } from './thread-file.ts';
import type { FromThread, Loaded, RunJob, RunResult, SessionSpec } from './thread-messages.ts';
import { withinMs } from './within-ms.ts';
import { Workload } from './workload.ts';

/** Compiling a model for a GPU may take minutes. */
const LOAD_TIMEOUT_MS = 600_000;
const STOP_TIMEOUT_MS = 5_000;
const STOPPED = 'the thread was stopped';

export interface ThreadOwner {
  /** Runs have ended; there may be room for more. */
  freed(): void;
  /** The thread has ended by itself, or is as good as ended. */
  ended(thread: OnnxThread, reason: string): void;
}

interface PendingLoad {
  readonly promise: Promise<Loaded>;
  readonly resolve: (loaded: Loaded) => void;
  readonly reject: (error: GatewayError) => void;
  readonly timer: NodeJS.Timeout;
}

/** One worker thread from its start to its end, as the main thread sees it. */
export class OnnxThread implements Hand {
  readonly #port: ThreadPort;
  readonly #owner: ThreadOwner;
  readonly #work = new Workload();
  readonly #loaded = new Map<number, Loaded>();
  readonly #loads = new Map<number, PendingLoad>();
  readonly #unloads = new Map<number, () => void>();
  /** Resolves when nothing of the thread is left. */
  readonly exited: Promise<void>;
  /** Why it takes no more work; empty while it does. */
  #over = '';

  constructor(name: string, start: StartThread, owner: ThreadOwner) {
    this.#owner = owner;
    this.#port = start(name);
    this.#port.on('message', (message) => this.#hear(message as FromThread));
    this.#port.on('error', (error) => this.#die(errorText(error)));
    this.exited = new Promise((resolve) => {
      this.#port.on('exit', (code) => {
        this.#die(`it exited with code ${code}`);
        for (const batch of this.#work.batches()) batch.close();
        this.#work.clear();
        resolve();
      });
    });
  }

  get idle(): boolean {
    return this.#work.size === 0;
  }

  get expectedUs(): number {
    return this.#work.expectedUs;
  }

  has(session: number): boolean {
    return this.#loaded.has(session);
  }

  accepts(costUs: number): boolean {
    // Loading blocks the thread: what waits is better off in the queue, from where another thread may take it.
    return this.#over === '' && this.#loads.size === 0 && this.#work.accepts(costUs);
  }

  add(batch: Batch, job: RunJob): void {
    if (this.#work.isFullFor(batch.costUs)) this.post();
    this.#work.add(batch, job);
  }

  post(): void {
    const parcel = this.#work.seal();
    if (parcel !== null) this.#port.postMessage({ is: 'runs', jobs: parcel.jobs }, parcel.buffers);
  }

  /** Rejects with a GatewayError that says why. A session that is there already is not loaded again. */
  load(spec: SessionSpec): Promise<Loaded> {
    const loaded = this.#loaded.get(spec.session);
    if (loaded !== undefined) return Promise.resolve(loaded);
    const pending = this.#loads.get(spec.session);
    if (pending !== undefined) return pending.promise;
    if (this.#over !== '') return Promise.reject(new GatewayError(Fault.BackendFailed, `No model loads: ${this.#over}.`));
    const { promise, resolve, reject } = Promise.withResolvers<Loaded>();
    const timer = setTimeout(() => void this.abandon(`loading took more than ${LOAD_TIMEOUT_MS} ms`), LOAD_TIMEOUT_MS);
    this.#loads.set(spec.session, { promise, resolve, reject, timer });
    this.#port.postMessage({ is: 'load', spec }, []);
    return promise;
  }

  /** Resolves when the runs of the session have ended and it is gone, or after a few seconds. */
  async unload(session: number): Promise<void> {
    if (!this.#loaded.delete(session) || this.#over !== '') return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#unloads.set(session, resolve);
    this.#port.postMessage({ is: 'unload', session }, []);
    await withinMs(promise, STOP_TIMEOUT_MS);
    this.#unloads.delete(session);
  }

  /** How long the run it works on has had no caller who still waits; 0 while one does. */
  forsakenMs(nowMs: number): number {
    const leftMs = this.#work.oldest?.leftMs ?? -1;
    return leftMs < 0 ? 0 : nowMs - leftMs;
  }

  /** Gives the thread up: its callers hear of it now, and that their calls are closed once it is really over. */
  abandon(reason: string): Promise<void> {
    this.#die(reason);
    return this.#terminate();
  }

  /** Resolves when the thread is over, or after a few seconds: a native call cannot be interrupted, and ends with the process. */
  stop(): Promise<void> {
    if (this.#over === '') this.#lose(STOPPED, Fault.Draining);
    return this.#terminate();
  }

  async #terminate(): Promise<void> {
    // Its promise tells no more than the event does, and never settles where the thread hangs.
    void this.#port.terminate();
    await withinMs(this.exited, STOP_TIMEOUT_MS);
    this.#port.unref();
  }

  #die(reason: string): void {
    if (this.#over !== '') return;
    this.#lose(`the thread that ran the model has ended: ${reason}`, Fault.BackendFailed);
    this.#owner.ended(this, reason);
  }

  #lose(reason: string, kind: FaultKind): void {
    this.#over = reason;
    this.#loaded.clear();
    for (const load of this.#loads.values()) {
      clearTimeout(load.timer);
      load.reject(new GatewayError(Fault.BackendFailed, `Loading was cut short: ${reason}.`));
    }
    this.#loads.clear();
    for (const done of this.#unloads.values()) done();
    for (const batch of this.#work.batches()) batch.fail(kind, reason, true);
  }

  #hear(message: FromThread): void {
    switch (message.is) {
      case 'results':
        this.#finish(message.results);
        break;
      case 'loaded':
        this.#settle(message.session, (load) => {
          this.#loaded.set(message.session, message);
          load.resolve(message);
        });
        break;
      case 'refused':
        this.#settle(message.session, (load) => {
          load.reject(new GatewayError(message.runtimeMissing ? Fault.NotSupported : Fault.BackendFailed, message.reason));
        });
        break;
      case 'unloaded':
        this.#unloads.get(message.session)?.();
        break;
      default:
        message satisfies never;
    }
  }

  #finish(results: readonly RunResult[]): void {
    for (let i = 0; i < results.length; i++) this.#work.finish(results[i]!)?.finish(results[i]!);
    this.#owner.freed();
  }

  #settle(session: number, settle: (load: PendingLoad) => void): void {
    const load = this.#loads.get(session);
    if (load === undefined) return;
    clearTimeout(load.timer);
    this.#loads.delete(session);
    settle(load);
    this.#owner.freed();
  }
}
