import type { Socket } from 'node:net';
import type { OrderName, ToSupervisor, ToWorker } from '../../src/runtime/ipc/messages.ts';
import type { ProcessEnd, WorkerProcess } from '../../src/runtime/ipc/worker-process.ts';

/** What a fake worker answers to an order; undefined leaves it without an answer. */
export type Obey = (name: OrderName, takes: unknown) => unknown;

let pids = 1_000;

/** A worker without a process: says what a test has it say, and remembers what it was told. */
export class FakeWorker implements WorkerProcess {
  readonly pid = ++pids;
  readonly heard: ToWorker[] = [];
  readonly sockets: Socket[] = [];
  killed = false;
  ended = false;
  obey: Obey;
  #say: (message: ToSupervisor) => void = () => undefined;
  #end: (end: ProcessEnd) => void = () => undefined;

  constructor(obey: Obey) {
    this.obey = obey;
  }

  send(message: ToWorker, socket: Socket | null): void {
    if (this.ended) return;
    this.heard.push(message);
    if (socket !== null) this.sockets.push(socket);
    if (message.is !== 'order') return;
    const gives = this.obey(message.name, message.takes);
    if (gives instanceof Error) this.say({ is: 'refusal', id: message.id, problem: gives.message });
    else if (gives !== undefined) this.say({ is: 'reply', id: message.id, gives });
    // A real one exits behind its answer to a drain.
    if (message.name === 'drain' && gives !== undefined) queueMicrotask(() => this.end({ code: 0, signal: '' }));
  }

  listen(heard: (message: ToSupervisor) => void, ended: (end: ProcessEnd) => void): void {
    this.#say = heard;
    this.#end = ended;
  }

  kill(): void {
    this.killed = true;
    this.end({ code: null, signal: 'SIGKILL' });
  }

  say(message: ToSupervisor): void {
    if (!this.ended) this.#say(message);
  }

  end(end: ProcessEnd): void {
    if (this.ended) return;
    this.ended = true;
    this.#end(end);
  }

  /** Names of the orders it was given, in order. */
  get orders(): readonly OrderName[] {
    return this.heard.flatMap((message) => (message.is === 'order' ? [message.name] : []));
  }
}
