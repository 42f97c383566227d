/** One gRPC client in a process of its own: asks the same question so many times, so many at once, and says what that cost. */

import { http2Backend } from '../src/config/http2-schema.ts';
import type { GrpcChannel } from '../src/wire/grpc/grpc-channel.ts';
import { openGrpcChannel } from '../src/wire/grpc/open-channel.ts';
import type { UnarySink } from '../src/wire/grpc/waiting-call.ts';

/** To this process. The first order opens the channel. */
export interface ClientOrder {
  readonly engine: 'own' | 'grpc-js';
  readonly address: string;
  readonly calls: number;
  readonly inFlight: number;
  readonly question: string;
  readonly answer: string;
}

/** From this process: CPU time of all its threads, and answers that were not as expected. */
export interface ClientReport {
  readonly cpuUs: number;
  readonly elapsedMs: number;
  readonly wrong: number;
}

const PATH = '/inference.GRPCInferenceService/ModelInfer';
const HEADERS = [
  'authorization',
  'Bearer 0123456789abcdef0123456789abcdef',
  'x-request-id',
  '0192f0c1-7b5a-7c3e-9d7e-5a1b2c3d4e5f',
];
const TIMEOUT_MS = 10_000;

let channel: GrpcChannel | null = null;

process.on('disconnect', () => process.exit(0));
process.on('message', (order: ClientOrder) => {
  channel ??= openGrpcChannel(order.engine, {
    address: order.address,
    ip: '',
    tls: null,
    maxMessageBytes: 1_048_576,
    connectTimeoutMs: 2_000,
    http2: http2Backend.parse({}),
  });
  void new Run(channel, order).report.then((report) => process.send!(report));
});

class Run implements UnarySink {
  readonly report: Promise<ClientReport>;
  readonly #channel: GrpcChannel;
  readonly #question: Buffer;
  readonly #answer: Buffer;
  readonly #calls: number;
  readonly #cpu = process.cpuUsage();
  readonly #startedMs = performance.now();
  #asked = 0;
  #ended = 0;
  #wrong = 0;
  #end: (report: ClientReport) => void = () => undefined;

  constructor(from: GrpcChannel, order: ClientOrder) {
    this.#channel = from;
    this.#question = Buffer.from(order.question, 'base64');
    this.#answer = Buffer.from(order.answer, 'base64');
    this.#calls = order.calls;
    this.report = new Promise((resolve) => {
      this.#end = resolve;
    });
    for (let i = 0; i < order.inFlight; i++) this.#ask();
  }

  onAnswer(message: Buffer): void {
    // One in a thousand is looked at in full; the length of each.
    if (message.length !== this.#answer.length) this.#wrong++;
    else if (this.#ended % 1_000 === 0 && !message.equals(this.#answer)) this.#wrong++;
    this.#next();
  }

  onStatus(): void {
    this.#wrong++;
    this.#next();
  }

  #ask(): void {
    this.#asked++;
    this.#channel.unary(PATH, this.#question, { headers: HEADERS, timeoutMs: TIMEOUT_MS }, this);
  }

  #next(): void {
    this.#ended++;
    if (this.#asked < this.#calls) this.#ask();
    else if (this.#ended === this.#calls) {
      const { user, system } = process.cpuUsage(this.#cpu);
      this.#end({ cpuUs: user + system, elapsedMs: performance.now() - this.#startedMs, wrong: this.#wrong });
    }
  }
}
