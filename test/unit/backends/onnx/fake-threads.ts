import { EventEmitter } from 'node:events';
import type { StartThread, ThreadPort } from '../../../../src/backends/onnx/thread-file.ts';
import type { FromThread, RunJob, RunResult, ToThread } from '../../../../src/backends/onnx/thread-messages.ts';
import type { Signature } from '../../../../src/core/signature.ts';

/** Threads that do what a test says, when it says so: they load anything at once and run nothing by themselves. */

const ECHO: Signature = {
  platform: 'onnxruntime_onnx',
  decoupled: false,
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 1] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }],
};

export class FakeThread extends EventEmitter implements ThreadPort {
  readonly name: string;
  readonly loads: number[] = [];
  /** Messages with runs, in order. */
  readonly parcels: (readonly RunJob[])[] = [];
  /** What a load gives; a text refuses it, null never answers. */
  readonly #load: (session: number) => Signature | string | null;
  terminated = false;
  dead = false;
  /** A native call that does not end keeps a terminated thread. */
  hangs = false;

  constructor(name: string, load: (session: number) => Signature | string | null) {
    super();
    this.name = name;
    this.#load = load;
  }

  get jobs(): RunJob[] {
    return this.parcels.flat();
  }

  postMessage(message: ToThread): void {
    if (message.is === 'runs') this.parcels.push(message.jobs);
    else queueMicrotask(() => this.#answer(message));
  }

  /** Gives each run its first input back, as an echo would. */
  finish(jobs: readonly RunJob[], computeUs = 100): void {
    const results = jobs.map((job): RunResult => {
      const data = job.buffer.slice(job.places[0]!, job.places[0]! + job.places[1]!);
      return { run: job.run, end: 'done', error: '', computeUs, outputs: [{ shape: job.shapes[0]!, data }] };
    });
    this.say({ is: 'results', results });
  }

  failRuns(jobs: readonly RunJob[]): void {
    const results = jobs.map((job): RunResult => ({ run: job.run, end: 'run', error: 'no', computeUs: 100, outputs: [] }));
    this.say({ is: 'results', results });
  }

  say(message: FromThread): void {
    this.emit('message', message);
  }

  terminate(): Promise<number> {
    this.terminated = true;
    if (!this.hangs) queueMicrotask(() => this.exit());
    return Promise.resolve(1);
  }

  exit(): void {
    this.dead = true;
    this.emit('exit', 1);
  }

  unref(): void {}

  #answer(message: ToThread): void {
    if (message.is === 'unload') this.say({ is: 'unloaded', session: message.session });
    if (message.is !== 'load') return;
    const session = message.spec.session;
    this.loads.push(session);
    const found = this.#load(session);
    if (typeof found === 'string') this.say({ is: 'refused', session, runtimeMissing: false, reason: found });
    else if (found !== null) this.say({ is: 'loaded', session, signature: found, provider: 'cpu', skipped: [] });
  }
}

/** All threads that were started, the newest last. */
export class FakeThreads {
  readonly started: FakeThread[] = [];
  /** What the next loads give. */
  load: (session: number) => Signature | string | null = () => ECHO;

  readonly start: StartThread = (name) => {
    const thread = new FakeThread(name, (session) => this.load(session));
    this.started.push(thread);
    return thread;
  };

  get newest(): FakeThread {
    return this.started.at(-1)!;
  }
}

/** The end of the tick, when what was opened in it is given out. */
export const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
