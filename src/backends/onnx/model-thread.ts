import { errorText } from './error-text.ts';
import { loadRuntime, type Runtime, RuntimeMissing } from './onnxruntime.ts';
import { runJob } from './run-job.ts';
import { type LoadedSession, loadSession } from './session-load.ts';
import type { FromThread, RunJob, RunResult, SessionSpec, ToThread } from './thread-messages.ts';

/** Results wait this long for others of the same message before they are sent: some of what a message costs. */
const GATHER_MS = 0.5;

export type Send = (message: FromThread, transfer: ArrayBuffer[]) => void;

/** What a thread does: takes messages in their order, one at a time, and answers each. */
export class ModelThread {
  readonly #send: Send;
  readonly #sessions = new Map<number, LoadedSession>();
  readonly #inbox: ToThread[] = [];
  #runtime: Runtime | null = null;
  #working = false;

  constructor(send: Send) {
    this.#send = send;
  }

  receive(message: ToThread): void {
    this.#inbox.push(message);
    // A rejection here is a bug: it ends the thread, whose owner hears of it and starts another.
    if (!this.#working) void this.#work();
  }

  async #work(): Promise<void> {
    this.#working = true;
    for (let message = this.#inbox.shift(); message !== undefined; message = this.#inbox.shift()) {
      switch (message.is) {
        case 'load':
          await this.#load(message.spec);
          break;
        case 'unload':
          await this.#unload(message.session);
          break;
        case 'runs':
          await this.#run(message.jobs);
          break;
        default:
          message satisfies never;
      }
    }
    this.#working = false;
  }

  async #load(spec: SessionSpec): Promise<void> {
    const session = spec.session;
    try {
      this.#runtime ??= await loadRuntime();
      const loaded = await loadSession(this.#runtime, spec);
      this.#sessions.set(session, loaded);
      const { signature, provider, skipped } = loaded;
      this.#send({ is: 'loaded', session, signature, provider, skipped }, []);
    } catch (error) {
      const reason = error instanceof Error ? error.message : errorText(error);
      this.#send({ is: 'refused', session, runtimeMissing: error instanceof RuntimeMissing, reason }, []);
    }
  }

  async #unload(session: number): Promise<void> {
    const loaded = this.#sessions.get(session);
    this.#sessions.delete(session);
    if (loaded !== undefined) await loaded.session.release();
    this.#send({ is: 'unloaded', session }, []);
  }

  async #run(jobs: readonly RunJob[]): Promise<void> {
    let results: RunResult[] = [];
    let sentMs = performance.now();
    for (let i = 0; i < jobs.length; i++) {
      results.push(await this.#runOne(jobs[i]!));
      const nowMs = performance.now();
      if (i + 1 < jobs.length && nowMs - sentMs < GATHER_MS) continue;
      this.#send({ is: 'results', results }, buffersOf(results));
      results = [];
      sentMs = nowMs;
    }
  }

  #runOne(job: RunJob): Promise<RunResult> | RunResult {
    const loaded = this.#sessions.get(job.session);
    if (loaded !== undefined) return runJob(this.#runtime!, loaded, job);
    return { run: job.run, end: 'run', error: 'the session is not loaded in this thread', computeUs: 0, outputs: [] };
  }
}

function buffersOf(results: readonly RunResult[]): ArrayBuffer[] {
  const buffers: ArrayBuffer[] = [];
  for (const result of results) for (const output of result.outputs) buffers.push(output.data);
  return buffers;
}
