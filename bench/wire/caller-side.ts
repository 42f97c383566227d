/**
 * The process that asks what native load generators cannot: another model and another key each time, over any number of connections, or when
 * it is due. It calls by the gRPC client of our own, which costs a few microseconds a call.
 */

import { readFileSync } from 'node:fs';
import { http2Backend } from '../../src/config/http2-schema.ts';
import type { GrpcChannel } from '../../src/wire/grpc/grpc-channel.ts';
import { openGrpcChannel } from '../../src/wire/grpc/open-channel.ts';
import type { UnarySink } from '../../src/wire/grpc/waiting-call.ts';
import { arrivals } from '../load/arrivals.ts';
import type { CallerOrder, CallerReport, CallerSetup, Latency } from './caller-order.ts';
import { INFER, messageOf, whyStrange } from './fixed-answers.ts';

const TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 10_000;
const MAX_MESSAGE_BYTES = 1_048_576;
const LOOKED_AT = 1_000;
/** Connections are made so many at a time: more than a server's queue of new ones would be refused. */
const AT_ONCE = 64;

/** Everything that calls differ by, each used in turn, from one run to the next. */
class Asking {
  readonly #channels: GrpcChannel[];
  readonly #questions: readonly Buffer[];
  readonly #headers: readonly (readonly string[])[];
  #turn = 0;

  constructor({ address, connections, models, credentialsFile }: CallerSetup) {
    const options = {
      address,
      ip: '',
      tls: null,
      maxMessageBytes: MAX_MESSAGE_BYTES,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      http2: http2Backend.parse({}),
    };
    this.#channels = Array.from({ length: connections }, () => openGrpcChannel('own', options));
    this.#questions = models.map(messageOf);
    const credentials = JSON.parse(readFileSync(credentialsFile, 'utf8')) as readonly string[];
    this.#headers = credentials.map((each) => (each === '' ? [] : ['authorization', `Bearer ${each}`]));
  }

  async connect(): Promise<boolean> {
    for (let i = 0; i < this.#channels.length; i += AT_ONCE) {
      const some = this.#channels.slice(i, i + AT_ONCE);
      const ready = await Promise.all(some.map((channel) => channel.ready(CONNECT_TIMEOUT_MS)));
      if (ready.includes(false)) return false;
    }
    return true;
  }

  next(sink: UnarySink): void {
    const turn = this.#turn++;
    const headers = this.#headers[turn % this.#headers.length]!;
    const question = this.#questions[turn % this.#questions.length]!;
    this.#channels[turn % this.#channels.length]!.unary(INFER, question, { headers, timeoutMs: TIMEOUT_MS }, sink);
  }
}

class Run {
  readonly report: Promise<CallerReport>;
  readonly #asking: Asking;
  readonly #order: CallerOrder;
  readonly #due: Float64Array | null;
  readonly #tookMs: Float64Array;
  readonly #lateMs: Float64Array;
  readonly #startedMs = performance.now();
  /** Since when there has been room for another call. */
  #roomMs = 0;
  #begun = 0;
  #good = 0;
  #bad = 0;
  #problem = '';
  #end: (report: CallerReport) => void = () => undefined;

  constructor(asking: Asking, order: CallerOrder) {
    this.#asking = asking;
    this.#order = order;
    this.#due = order.perSecond > 0 ? arrivals('poisson', order.perSecond, order.calls, order.seed) : null;
    this.#tookMs = new Float64Array(order.calls);
    this.#lateMs = new Float64Array(order.calls);
    this.report = new Promise((resolve) => {
      this.#end = resolve;
    });
    if (this.#due !== null) this.#turn();
    else for (let i = 0; i < Math.min(order.inFlight, order.calls); i++) this.#begin(this.#nowMs());
  }

  get #inFlight(): number {
    return this.#begun - this.#good - this.#bad;
  }

  ended(dueMs: number, problem: string): void {
    const nowMs = this.#nowMs();
    if (this.#inFlight === this.#order.inFlight) this.#roomMs = nowMs;
    this.#tookMs[this.#good + this.#bad] = nowMs - dueMs;
    if (problem === '') this.#good++;
    else {
      this.#bad++;
      if (this.#problem === '') this.#problem = problem;
    }
    if (this.#good + this.#bad === this.#order.calls) this.#finish();
    else if (this.#due === null && this.#begun < this.#order.calls) this.#begin(nowMs);
  }

  looksAt(): boolean {
    return (this.#good + this.#bad) % LOOKED_AT === 0;
  }

  /** Comes round without a pause, since no timer is as exact as a call is short. */
  #turn(): void {
    const due = this.#due!;
    const nowMs = this.#nowMs();
    while (this.#begun < due.length && due[this.#begun]! <= nowMs && this.#inFlight < this.#order.inFlight)
      this.#begin(due[this.#begun]!);
    if (this.#begun < due.length) setImmediate(() => this.#turn());
  }

  #begin(dueMs: number): void {
    this.#lateMs[this.#begun++] = Math.max(0, this.#nowMs() - Math.max(dueMs, this.#roomMs));
    this.#asking.next(new Call(this, dueMs));
  }

  #finish(): void {
    this.#end({
      good: this.#good,
      bad: this.#bad,
      problem: this.#problem,
      elapsedMs: this.#nowMs(),
      latencyMs: latencyOf(this.#tookMs),
      lateMs: latencyOf(this.#lateMs),
    });
  }

  #nowMs(): number {
    return performance.now() - this.#startedMs;
  }
}

class Call implements UnarySink {
  readonly #run: Run;
  readonly #dueMs: number;

  constructor(run: Run, dueMs: number) {
    this.#run = run;
    this.#dueMs = dueMs;
  }

  onAnswer(message: Buffer): void {
    this.#run.ended(this.#dueMs, this.#run.looksAt() ? whyStrange(message) : '');
  }

  onStatus(status: number, details: string): void {
    this.#run.ended(this.#dueMs, `status ${status}: ${details}`);
  }
}

function latencyOf(all: Float64Array): Latency {
  const sorted = all.toSorted();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
  return { p50: at(0.5), p99: at(0.99) };
}

let asking: Asking | null = null;

process.on('disconnect', () => process.exit(0));
process.on('message', (order: CallerSetup | CallerOrder) => {
  if (order.is === 'ask') void new Run(asking!, order).report.then((report) => process.send!(report));
  else {
    asking = new Asking(order);
    void asking.connect().then((connected) => process.send!({ connected }));
  }
});
