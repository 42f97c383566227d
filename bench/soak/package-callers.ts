/** Callers of the soak on @grpc/grpc-js: calls with one answer, and streams with many questions in flight. */

import { Client, type ClientDuplexStream, credentials, Metadata, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import { type Caller, type Ended, endingOf, mannerOf, RIGHT, refusalOf, wrong } from './ending.ts';
import { ECHO, INFER, marked, readAnswer, readPart, STREAM_INFER, writeQuestion } from './messages.ts';
import type { CallerOptions } from './own-callers.ts';

const MOST_QUESTIONS = 20;
const MOST_PAUSE_MS = 150;
const asIs = (bytes: Buffer): Buffer => bytes;

abstract class PackageCaller {
  protected readonly client: Client;
  protected readonly metadata = new Metadata();
  protected readonly random: () => number;

  constructor({ address, key, random }: CallerOptions) {
    this.client = new Client(address, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': -1,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 500,
      'grpc.enable_retries': 0,
    });
    this.metadata.set('authorization', `Bearer ${key}`);
    this.random = random;
  }

  close(): void {
    this.client.close();
  }
}

export class PackageUnaryCaller extends PackageCaller implements Caller {
  readonly kind = 'grpc-js unary';

  ask(nextMark: () => number): Promise<Ended> {
    const { timeoutMs, leavesAfterMs, words } = mannerOf(this.random);
    const data = marked(nextMark(), words);
    return new Promise((resolve) => {
      let left = false;
      const onEnd = (error: ServiceError | null, answer?: Buffer): void => {
        if (error !== null) resolve(endingOf(error.code, error.details, left));
        else resolve(readAnswer(answer!).equals(data) ? RIGHT : wrong("another's answer"));
      };
      const question = writeQuestion(ECHO, '', data);
      const options = { deadline: Date.now() + timeoutMs };
      const call = this.client.makeUnaryRequest(INFER, asIs, asIs, question, this.metadata, options, onEnd);
      if (leavesAfterMs === 0) return;
      setTimeout(() => {
        left = true;
        call.cancel();
      }, leavesAfterMs);
    });
  }
}

/** Sends its questions at once; answers may come in any order. */
export class PackageStreamCaller extends PackageCaller implements Caller {
  readonly kind = 'grpc-js stream';

  ask(nextMark: () => number): Promise<Ended> {
    const { timeoutMs, leavesAfterMs, words } = mannerOf(this.random);
    const call = this.client.makeBidiStreamRequest(STREAM_INFER, asIs, asIs, this.metadata, { deadline: Date.now() + timeoutMs });
    const waiting = new Map<string, Buffer>();
    const count = 1 + Math.floor(this.random() * MOST_QUESTIONS);
    for (let i = 0; i < count; i++) {
      const mark = nextMark();
      const data = marked(mark, i === 0 ? words : 4);
      waiting.set(`q-${mark}`, data);
      call.write(writeQuestion(ECHO, `q-${mark}`, data));
    }
    call.end();
    if (this.random() < 0.2) pauseFor(call, this.random() * MOST_PAUSE_MS);
    return follow(call, waiting, leavesAfterMs);
  }
}

function follow(call: ClientDuplexStream<Buffer, Buffer>, waiting: Map<string, Buffer>, leavesAfterMs: number): Promise<Ended> {
  let left = false;
  let refused: Ended | null = null;
  const timer = setTimeout(() => {
    if (leavesAfterMs === 0) return;
    left = true;
    call.cancel();
  }, leavesAfterMs);
  call.on('error', () => undefined);
  call.on('data', (message: Buffer) => {
    const { error, id, data } = readPart(message);
    const expected = waiting.get(id);
    waiting.delete(id);
    if (expected === undefined) refused ??= wrong(`an answer to "${id}", which is not waited for; it says "${error}"`);
    else if (error !== '') refused ??= refusalOf(error);
    else if (!data.equals(expected)) refused ??= wrong("another's answer");
  });
  return new Promise((resolve) => {
    call.on('status', ({ code, details }: StatusObject) => {
      clearTimeout(timer);
      if (refused?.ending === 'wrong') resolve(refused);
      else if (code !== 0) resolve(endingOf(code, details, left));
      else if (waiting.size > 0) resolve(wrong(`${waiting.size} questions of a stream without an answer`));
      else resolve(refused ?? RIGHT);
    });
  });
}

/** A client that does not read for a while. */
function pauseFor(call: ClientDuplexStream<Buffer, Buffer>, ms: number): void {
  call.pause();
  setTimeout(() => call.resume(), ms);
}
