/** Callers of the soak on the client of our own: calls with one answer, and with many that are read slowly. */

import { http2Backend } from '../../src/config/http2-schema.ts';
import type { GrpcChannel } from '../../src/wire/grpc/grpc-channel.ts';
import { openGrpcChannel } from '../../src/wire/grpc/open-channel.ts';
import { type Caller, type Ended, endingOf, LONG_MS, mannerOf, RIGHT, refusalOf, wrong } from './ending.ts';
import { ECHO, INFER, marked, PARTS, readAnswer, readPart, STREAM_INFER, writeQuestion } from './messages.ts';

const MOST_PARTS = 30;
const MOST_PAUSE_MS = 20;

export interface CallerOptions {
  readonly address: string;
  readonly key: string;
  readonly random: () => number;
}

abstract class OwnCaller implements Caller {
  abstract readonly kind: string;
  protected readonly channel: GrpcChannel;
  protected readonly headers: readonly string[];
  protected readonly random: () => number;

  constructor({ address, key, random }: CallerOptions) {
    this.channel = openOwn(address);
    this.headers = ['authorization', `Bearer ${key}`];
    this.random = random;
  }

  abstract ask(nextMark: () => number): Promise<Ended>;

  close(): void {
    this.channel.close();
  }
}

export class OwnUnaryCaller extends OwnCaller {
  readonly kind = 'own unary';

  ask(nextMark: () => number): Promise<Ended> {
    const { timeoutMs, leavesAfterMs, words } = mannerOf(this.random);
    const data = marked(nextMark(), words);
    return new Promise((resolve) => {
      let left = false;
      const call = this.channel.unary(
        INFER,
        writeQuestion(ECHO, '', data),
        { headers: this.headers, timeoutMs },
        {
          onAnswer: (message) => resolve(readAnswer(message).equals(data) ? RIGHT : wrong("another's answer")),
          onStatus: (status, details) => resolve(endingOf(status, details, left)),
        },
      );
      if (leavesAfterMs === 0) return;
      setTimeout(() => {
        left = true;
        call.cancel();
      }, leavesAfterMs);
    });
  }
}

/** Asks the decoupled model, and takes its answers one after another, some of them after a pause. */
export class OwnStreamCaller extends OwnCaller {
  readonly kind = 'own stream';

  ask(nextMark: () => number): Promise<Ended> {
    const random = this.random;
    const mark = nextMark();
    const count = Math.floor(random() * MOST_PARTS);
    const words = mannerOf(random).words;
    const leavesAt = random() < 0.2 ? Math.floor(random() * count) : -1;
    const isSlow = random() < 0.2;
    const question = writeQuestion(PARTS, `q-${mark}`, Buffer.from(Int32Array.of(mark, count, words).buffer));
    return new Promise((resolve) => {
      let seen = 0;
      let left = false;
      let refused: Ended | null = null;
      const fail = (ended: Ended): void => {
        refused ??= ended;
      };
      const call = this.channel.streamed(
        STREAM_INFER,
        question,
        { headers: this.headers, timeoutMs: LONG_MS },
        {
          onMessage: (message) => {
            const { error, id, data } = readPart(message);
            const expected = marked(mark, words);
            expected.writeInt32LE(seen, 4);
            if (error !== '') fail(refusalOf(error));
            else if (id !== `q-${mark}` || !data.equals(expected)) fail(wrong(`answer ${seen} of ${count} is another's`));
            else if (seen++ === leavesAt) {
              left = true;
              call.cancel();
              return;
            }
            if (isSlow) setTimeout(() => call.read(), random() * MOST_PAUSE_MS);
            else call.read();
          },
          onEnd: (status, details) => {
            if (refused !== null) resolve(refused);
            else if (status !== 0) resolve(endingOf(status, details, left));
            else resolve(seen === count ? RIGHT : wrong(`${seen} of ${count} answers`));
          },
        },
      );
    });
  }
}

const openOwn = (address: string): GrpcChannel =>
  openGrpcChannel('own', {
    address,
    ip: '',
    tls: null,
    maxMessageBytes: 16_777_216,
    connectTimeoutMs: 5_000,
    http2: http2Backend.parse({}),
  });
