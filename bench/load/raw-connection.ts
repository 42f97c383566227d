/** One HTTP/1.1 connection with one question at a time, read no further than it must: what the load costs is not the server's. */

import { connect, type Socket } from 'node:net';

/** Hears how a question ended; `status` is 0 when there was no answer. */
export type OnAnswer = (status: number) => void;

const HEAD_END = Buffer.from('\r\n\r\n');
const NOTHING = Buffer.alloc(0);
/** `HTTP/1.1 200` */
const STATUS_AT = 9;
const STATUS_CHARS = 3;

export class RawConnection {
  readonly #socket: Socket;
  #onAnswer: OnAnswer | null = null;
  #received: Buffer = NOTHING;
  closed = false;

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#socket.on('error', () => undefined);
    this.#socket.once('close', () => {
      this.closed = true;
      this.#end(0);
    });
  }

  ask(request: Buffer, onAnswer: OnAnswer): void {
    this.#onAnswer = onAnswer;
    this.#socket.write(request);
  }

  /** Gives up on what is asked; its end is told before the connection has closed. */
  cut(): void {
    this.closed = true;
    this.#end(0);
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = this.#received.toString('latin1', 0, headEnd).toLowerCase();
    const length = Number(/\r\ncontent-length: (\d+)/.exec(head)?.[1] ?? 0);
    if (this.#received.length < headEnd + HEAD_END.length + length) return;
    this.#received = NOTHING;
    if (head.includes('\r\nconnection: close')) this.closed = true;
    this.#end(Number(head.slice(STATUS_AT, STATUS_AT + STATUS_CHARS)));
  }

  #end(status: number): void {
    const onAnswer = this.#onAnswer;
    this.#onAnswer = null;
    onAnswer?.(status);
  }
}
