import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { ECHO, INFER, marked, readAnswer, writeQuestion } from '../../../bench/soak/messages.ts';

const WORDS = 16;
const asIs = (bytes: Buffer): Buffer => bytes;

export interface Served {
  /** Sorted. */
  readonly tookMs: readonly number[];
  /** Of calls that were not answered, or not as they should be. */
  readonly failures: readonly string[];
}

/** Calls of an honest client at an even pace, whatever becomes of them. */
export class HonestLoad {
  readonly #client: Client;
  readonly #metadata = new Metadata();
  #mark = 0;

  constructor(address: string, key: string) {
    this.#client = new Client(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
    this.#metadata.set('authorization', `Bearer ${key}`);
  }

  async run(perSecond: number, ms: number): Promise<Served> {
    const tookMs: number[] = [];
    const failures: string[] = [];
    const calls: Promise<void>[] = [];
    const beganMs = performance.now();
    for (let i = 0; i < (perSecond * ms) / 1_000; i++) {
      const pauseMs = beganMs + (i * 1_000) / perSecond - performance.now();
      if (pauseMs > 0) await new Promise((done) => setTimeout(done, pauseMs));
      calls.push(this.#ask(tookMs, failures));
    }
    await Promise.all(calls);
    return { tookMs: tookMs.toSorted((a, b) => a - b), failures };
  }

  close(): void {
    this.#client.close();
  }

  #ask(tookMs: number[], failures: string[]): Promise<void> {
    const data = marked(++this.#mark, WORDS);
    const sentMs = performance.now();
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(INFER, asIs, asIs, writeQuestion(ECHO, '', data), this.#metadata, (error, answer) => {
        tookMs.push(performance.now() - sentMs);
        if (error !== null) failures.push(`${error.code} ${error.details}`);
        else if (!readAnswer(answer!).equals(data)) failures.push("another's answer");
        resolve();
      });
    });
  }
}
