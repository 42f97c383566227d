import type { Socket } from 'node:net';
import type {
  Face,
  Gives,
  OrderName,
  Pulse,
  StartFailure,
  Takes,
  ToSupervisor,
  WorkerReport,
  WorkerStart,
} from '../ipc/messages.ts';
import { PendingReplies } from '../ipc/pending-replies.ts';
import type { ProcessEnd, WorkerProcess } from '../ipc/worker-process.ts';
import type { LeaseCounter, LeaseDesk } from './lease-desk.ts';

/** Orders on their way to one worker. Each change and each scrape is one; people and scrapers send few. */
const MAX_ORDERS = 256;

/** Starting: it has no traffic yet. Draining: it has all it will get. */
export type WorkerState = 'starting' | 'serving' | 'draining' | 'gone';

/** Why a worker ended, as the metric says it. */
export type EndReason = 'crash' | 'silent' | 'signal' | 'exit' | 'start';

/** Hears of what a worker does by itself. */
export interface WorkerEvents {
  up(worker: WorkerHandle): void;
  /** It has caught up with connections. */
  took(worker: WorkerHandle): void;
  /** Once, last. */
  gone(worker: WorkerHandle): void;
}

/** What a worker is given besides its process. */
export interface WorkerHouse {
  readonly events: WorkerEvents;
  readonly desk: LeaseDesk;
  readonly nowMs: () => number;
}

/** A connection that waits for a worker to take it. */
export interface HandedSocket {
  readonly face: Face;
  readonly socket: Socket;
}

/** One worker as its supervisor sees it: asks and is answered, hands over connections, and remembers what it said last. */
export class WorkerHandle {
  readonly number: number;
  readonly generation: number;
  readonly beganMs: number;
  state: WorkerState = 'starting';
  pulse: Pulse = { ready: false, residentBytes: 0, cpuUs: 0 };
  /** It has loaded all it needs. */
  isUp = false;
  /** -1 before it gets traffic. */
  servesSinceMs = -1;
  /** When it said anything last. */
  heardMs: number;
  /** Why it could not begin; null when it could, or said nothing. */
  failure: StartFailure | null = null;
  reason: EndReason | null = null;
  /** For the log. */
  problem = '';
  #report: WorkerReport = { number: 0, metrics: '', usage: [], plans: [] };
  readonly #process: WorkerProcess;
  readonly #events: WorkerEvents;
  readonly #gone = Promise.withResolvers<void>();
  readonly #nowMs: () => number;
  readonly #leases: LeaseCounter;
  readonly #replies = new PendingReplies(MAX_ORDERS);
  /** Handed over, in order, and not yet taken: another worker gets them if this one ends. */
  readonly #untaken: HandedSocket[] = [];

  constructor(
    identity: { readonly number: number; readonly generation: number },
    process: WorkerProcess,
    { events, desk, nowMs }: WorkerHouse,
  ) {
    this.number = identity.number;
    this.generation = identity.generation;
    this.#process = process;
    this.#events = events;
    this.#nowMs = nowMs;
    this.#leases = desk.open((answer) => process.send(answer, null));
    this.beganMs = nowMs();
    this.heardMs = this.beganMs;
    process.listen(
      (message) => this.#hear(message),
      (end) => this.#end(end),
    );
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Connections handed over and not yet taken: how far behind its event loop is. */
  get backlog(): number {
    return this.#untaken.length;
  }

  get report(): WorkerReport {
    return this.#report;
  }

  /** Remembers its figures, unless those that were gathered later have overtaken them: no counter may fall. */
  keep(report: WorkerReport): void {
    if (report.number >= this.#report.number) this.#report = report;
  }

  get whenGone(): Promise<void> {
    return this.#gone.promise;
  }

  begin(start: WorkerStart): void {
    this.#process.send({ is: 'start', start }, null);
  }

  /** Rejects with SilenceError when there is no answer in time. */
  ask<Name extends OrderName>(name: Name, takes: Takes<Name>, timeoutMs: number): Promise<Gives<Name>> {
    const reply = this.#replies.ask(timeoutMs, (id) => this.#process.send({ is: 'order', id, name, takes }, null));
    // The worker answers an order with what the order gives.
    return reply as Promise<Gives<Name>>;
  }

  hand(handed: HandedSocket): void {
    this.#untaken.push(handed);
    this.#process.send({ is: 'socket', face: handed.face }, handed.socket);
  }

  /** Those that it will not take any more. */
  takeBack(): HandedSocket[] {
    return this.#untaken.splice(0);
  }

  /** Ends it at once; the first reason counts. */
  kill(reason: EndReason, problem: string): void {
    this.reason ??= reason;
    if (this.problem === '') this.problem = problem;
    this.#process.kill();
  }

  #hear(message: ToSupervisor): void {
    this.heardMs = this.#nowMs();
    switch (message.is) {
      case 'up':
        this.isUp = true;
        this.#events.up(this);
        return;
      case 'failed':
        this.failure = message.failure;
        return;
      case 'pulse':
        this.pulse = message.pulse;
        return;
      case 'report':
        this.keep(message.report);
        return;
      case 'reply':
        this.#replies.answer(message.id, message.gives);
        return;
      case 'refusal':
        this.#replies.refuse(message.id, message.problem);
        return;
      case 'taken':
        // The worker's copy is the one that counts now. This closes ours, and says nothing to the client.
        for (const { socket } of this.#untaken.splice(0, message.count)) socket.destroy();
        this.#events.took(this);
        return;
      case 'lease-ask':
      case 'lease-report':
      case 'lease-give':
        this.#leases.hear(message);
        return;
      case 'crashed':
        this.reason ??= 'crash';
        this.problem = message.problem;
        return;
      default:
        message satisfies never;
    }
  }

  #end({ code, signal }: ProcessEnd): void {
    this.reason ??= this.state === 'starting' ? 'start' : signal !== '' ? 'signal' : 'exit';
    if (this.problem === '') this.problem = signal !== '' ? `killed by ${signal}` : `exited with ${code}`;
    this.#leases.close();
    this.#replies.end(`worker ${this.number} ended: ${this.problem}`);
    this.state = 'gone';
    this.#events.gone(this);
    this.#gone.resolve();
  }
}
