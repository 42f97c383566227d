/** A caller of the soak on node:http2, which can be ruder than a gRPC library: small windows, resets of all kinds, halves of messages. */

import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { type Caller, CUT, type Ended, endingOf, LEFT, mannerOf, RIGHT, wrong } from './ending.ts';
import { ECHO, INFER, marked, readAnswer, writeQuestion } from './messages.ts';
import type { CallerOptions } from './own-callers.ts';

const WINDOWS = [16, 1_000, 65_535] as const;
/** Larger answers through the smallest windows take frames by the ten thousand. */
const WORDS_PER_WINDOW_BYTE = 4;
const RESETS = [
  constants.NGHTTP2_CANCEL,
  constants.NGHTTP2_NO_ERROR,
  constants.NGHTTP2_INTERNAL_ERROR,
  constants.NGHTTP2_REFUSED_STREAM,
  constants.NGHTTP2_ENHANCE_YOUR_CALM,
];
/** One of so many calls ends with its connection. */
const CALLS_PER_CONNECTION = 60;
const MOST_PAUSE_MS = 200;
const HEAD_BYTES = 5;
const MODES = ['plain', 'plain', 'plain', 'halves', 'slow reader', 'reset', 'half and reset'] as const;

export class NodeCaller implements Caller {
  readonly kind = 'node:http2 unary';
  readonly #options: CallerOptions;
  #session: ClientHttp2Session | null = null;
  #windowBytes = 0;

  constructor(options: CallerOptions) {
    this.#options = options;
  }

  ask(nextMark: () => number): Promise<Ended> {
    const { random, key } = this.#options;
    const session = this.#connected();
    const words = Math.min(mannerOf(random).words, this.#windowBytes * WORDS_PER_WINDOW_BYTE);
    const data = marked(nextMark(), words);
    const stream = session.request({
      ':method': 'POST',
      ':path': INFER,
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': '8S',
      authorization: `Bearer ${key}`,
    });
    const mode = MODES[Math.floor(random() * MODES.length)]!;
    this.#send(stream, framed(writeQuestion(ECHO, '', data)), mode);
    const ended = answerOf(stream, data, mode.endsWith('reset'));
    if (random() * CALLS_PER_CONNECTION < 1) return ended.finally(() => this.#part(session));
    return ended;
  }

  close(): void {
    this.#session?.destroy();
  }

  #connected(): ClientHttp2Session {
    const session = this.#session;
    if (session !== null && !session.closed && !session.destroyed) return session;
    const { address, random } = this.#options;
    this.#windowBytes = WINDOWS[Math.floor(random() * WINDOWS.length)]!;
    const next = connect(`http://${address}`, { settings: { initialWindowSize: this.#windowBytes } });
    next.on('error', () => undefined);
    this.#session = next;
    return next;
  }

  #part(session: ClientHttp2Session): void {
    if (this.#options.random() < 0.5) session.close();
    else session.destroy();
    if (this.#session === session) this.#session = null;
  }

  #send(stream: ClientHttp2Stream, message: Buffer, mode: (typeof MODES)[number]): void {
    const { random } = this.#options;
    const half = message.subarray(0, message.length >> 1);
    const later = (ms: number, act: () => void): void => {
      setTimeout(() => {
        if (!stream.destroyed) act();
      }, ms);
    };
    if (mode === 'halves') {
      stream.write(half);
      later(random() * MOST_PAUSE_MS, () => stream.end(message.subarray(half.length)));
    } else if (mode === 'half and reset') {
      stream.write(half);
      later(random() * MOST_PAUSE_MS, () => stream.close(this.#resetCode()));
    } else stream.end(message);
    if (mode === 'reset') later(random() * 10, () => stream.close(this.#resetCode()));
    if (mode === 'slow reader') {
      stream.pause();
      later(random() * MOST_PAUSE_MS, () => stream.resume());
    }
  }

  #resetCode(): number {
    return RESETS[Math.floor(this.#options.random() * RESETS.length)]!;
  }
}

function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function answerOf(stream: ClientHttp2Stream, data: Buffer, leaves: boolean): Promise<Ended> {
  const pieces: Buffer[] = [];
  let status = '';
  let details = '';
  let ended = false;
  const take = (fields: Readonly<Record<string, unknown>>): void => {
    status = String(fields['grpc-status'] ?? status);
    details = String(fields['grpc-message'] ?? details);
  };
  stream.on('error', () => undefined);
  stream.on('response', take);
  stream.on('trailers', take);
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  stream.on('end', () => (ended = true));
  return new Promise((resolve) => {
    stream.on('close', () => {
      // What came and was not read yet is lost with a connection, also where its status was read.
      if (status === '' || !ended) resolve(leaves ? LEFT : CUT);
      else if (status !== '0') resolve(endingOf(Number(status), decodeURIComponent(details), leaves));
      else {
        const answer = Buffer.concat(pieces);
        const isWhole = answer.length >= HEAD_BYTES && answer.readUInt32BE(1) === answer.length - HEAD_BYTES;
        if (!isWhole) resolve(wrong(`status OK behind ${answer.length} bytes that are no message`));
        else resolve(readAnswer(answer.subarray(HEAD_BYTES)).equals(data) ? RIGHT : wrong("another's answer"));
      }
    });
  });
}
