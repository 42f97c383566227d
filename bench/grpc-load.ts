/** Load over gRPC: unary calls in a closed loop on a few connections of @grpc/grpc-js. */

import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { IN_FLIGHT, LatencyLog, type Load, type LoadResult } from './load.ts';

export interface GrpcTarget {
  readonly address: string;
  /** The API key; empty sends none. */
  readonly key: string;
  /** A ModelInferRequest. */
  readonly message: Buffer;
}

const METHOD = '/inference.GRPCInferenceService/ModelInfer';
const CONNECTIONS = 4;
/** Each client a connection of its own; by default equal addresses share one. */
const CLIENT_OPTIONS = { 'grpc.use_local_subchannel_pool': 1 };

/** One question is asked beforehand; its answer is the one that all must have. */
export async function grpcLoad(target: GrpcTarget): Promise<{ readonly load: Load; readonly close: () => void }> {
  const asking = Array.from({ length: CONNECTIONS }, () => new Asking(target));
  const expected = await asking[0]!.once();
  const load = (amount: number): Promise<LoadResult> => new Run(asking, expected, amount).result;
  return { load, close: () => closeAll(asking) };
}

function closeAll(asking: readonly Asking[]): void {
  for (const each of asking) each.close();
}

/** A connection and the one question that is asked over it. */
class Asking {
  readonly #client: Client;
  readonly #message: Buffer;
  readonly #metadata = new Metadata();

  constructor(target: GrpcTarget) {
    this.#client = new Client(target.address, credentials.createInsecure(), CLIENT_OPTIONS);
    this.#message = target.message;
    if (target.key !== '') this.#metadata.set('authorization', `Bearer ${target.key}`);
  }

  ask(onEnd: (error: ServiceError | null, answer?: Buffer) => void): void {
    this.#client.makeUnaryRequest(METHOD, asIs, asIs, this.#message, this.#metadata, onEnd);
  }

  once(): Promise<Buffer> {
    return new Promise((resolve, reject) => this.ask((error, answer) => (error === null ? resolve(answer!) : reject(error))));
  }

  close(): void {
    this.#client.close();
  }
}

const asIs = (bytes: Buffer): Buffer => bytes;

class Run {
  readonly result: Promise<LoadResult>;
  readonly #asking: readonly Asking[];
  readonly #expected: Buffer;
  readonly #amount: number;
  readonly #latency = new LatencyLog();
  readonly #startedMs = performance.now();
  #finish: (result: LoadResult) => void = () => undefined;
  #asked = 0;
  #good = 0;
  #bad = 0;
  #strange = 0;

  constructor(asking: readonly Asking[], expected: Buffer, amount: number) {
    this.#asking = asking;
    this.#expected = expected;
    this.#amount = amount;
    this.result = new Promise((resolve) => {
      this.#finish = resolve;
    });
    for (let i = 0; i < Math.min(IN_FLIGHT, amount); i++) this.#next();
  }

  #next(): void {
    const asking = this.#asking[this.#asked++ % this.#asking.length]!;
    const startedMs = performance.now();
    asking.ask((error, answer) => {
      this.#latency.add(performance.now() - startedMs);
      if (error !== null) this.#bad++;
      else this.#good++;
      if (error === null && !this.#expected.equals(answer!)) this.#strange++;
      if (this.#asked < this.#amount) this.#next();
      else if (this.#good + this.#bad === this.#amount) this.#end();
    });
  }

  #end(): void {
    const elapsedMs = performance.now() - this.#startedMs;
    this.#finish({ good: this.#good, bad: this.#bad, strange: this.#strange, elapsedMs, latency: this.#latency.summary() });
  }
}
