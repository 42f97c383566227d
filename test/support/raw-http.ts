import { connect, type Socket } from 'node:net';

/** One answer read off the wire. */
export interface RawAnswer {
  readonly status: number;
  /** By lower-case name; a field that stands twice is joined with a comma. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** Longest a wait in a test may take before it fails with what has come so far. */
const LIMIT_MS = 5_000;

/** A client that sends exactly the bytes it is given and keeps what comes back, for everything a well-behaved client cannot say. */
export class RawConnection {
  readonly socket: Socket;
  /** Grows by doubling, so that megabytes in small pieces are not copied again and again. */
  #store = Buffer.allocUnsafe(4_096);
  #sizeBytes = 0;
  #ended = false;
  #closed = false;
  readonly #waiting = new Set<() => void>();

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (piece: Buffer) => {
      this.#keep(piece);
      this.#wake();
    });
    socket.on('end', () => this.#end());
    socket.on('close', () => {
      this.#closed = true;
      this.#end();
    });
    // A reset is one of the ways in which a connection may end.
    socket.on('error', () => this.#end());
  }

  /** `socket` may be a TLS socket that is already secure. */
  static over(socket: Socket): RawConnection {
    return new RawConnection(socket);
  }

  static open(port: number, host = '127.0.0.1'): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host, allowHalfOpen: true, noDelay: true }, () => {
        socket.off('error', reject);
        resolve(new RawConnection(socket));
      });
      socket.once('error', reject);
    });
  }

  /** Everything received so far. */
  get bytes(): Buffer {
    return this.#store.subarray(0, this.#sizeBytes);
  }

  /** Whether the other side has ended or reset the connection. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The whole answers among what has been received. */
  get answers(): RawAnswer[] {
    return parseAnswers(this.bytes);
  }

  /** Sends bytes as they are; a string stands for its latin1 bytes. */
  send(bytes: string | Uint8Array): this {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    return this;
  }

  /** Ends this side and leaves the other open. */
  endWriting(): this {
    this.socket.end();
    return this;
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Resolves with at least `count` whole answers. */
  async untilAnswers(count: number): Promise<RawAnswer[]> {
    await this.#until(() => this.answers.length >= count, `${count} answers`);
    return this.answers;
  }

  /** Resolves with all answers when the other side has ended the connection. */
  async untilEnd(): Promise<RawAnswer[]> {
    await this.#until(() => this.#ended, 'the end of the connection');
    return this.answers;
  }

  /** Resolves when the connection is gone in both directions; over plain TCP after a reset, or when both sides have ended it. */
  async untilClosed(): Promise<void> {
    await this.#until(() => this.#closed, 'the connection to close');
  }

  /** Resolves with everything received, as latin1, when `text` is among it. */
  async until(text: string): Promise<string> {
    await this.#until(() => this.bytes.includes(text), JSON.stringify(text));
    return this.bytes.toString('latin1');
  }

  async #until(met: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + LIMIT_MS;
    while (!met()) {
      const leftMs = deadline - Date.now();
      if (leftMs <= 0 || this.#closed) {
        const state = this.#closed ? 'the connection closed' : 'the time is up';
        throw new Error(`Expected ${what}, but ${state} after: ${JSON.stringify(this.bytes.toString('latin1').slice(0, 500))}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, leftMs);
        function done(): void {
          clearTimeout(timer);
          resolve();
        }
        this.#waiting.add(done);
      });
    }
  }

  #keep(piece: Buffer): void {
    const sizeBytes = this.#sizeBytes + piece.length;
    if (sizeBytes > this.#store.length) {
      const larger = Buffer.allocUnsafe(2 * sizeBytes);
      this.bytes.copy(larger);
      this.#store = larger;
    }
    piece.copy(this.#store, this.#sizeBytes);
    this.#sizeBytes = sizeBytes;
  }

  #end(): void {
    this.#ended = true;
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

/** Sends `bytes` on a connection of its own and resolves with every answer when the other side has ended it. */
export async function exchangeRaw(port: number, bytes: string | Uint8Array): Promise<RawAnswer[]> {
  const client = await RawConnection.open(port);
  try {
    return await client.send(bytes).untilEnd();
  } finally {
    client.destroy();
  }
}

/** Whole answers in `bytes`, in order: interim ones have no body, all others as many bytes as their Content-Length says. */
export function parseAnswers(bytes: Buffer): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let at = 0;
  for (;;) {
    const headEnd = bytes.indexOf('\r\n\r\n', at);
    if (headEnd < 0) return answers;
    const [statusLine = '', ...lines] = bytes.toString('latin1', at, headEnd).split('\r\n');
    const headers = new Map<string, string>();
    for (const line of lines) {
      const colon = line.indexOf(':');
      const name = line.slice(0, colon).toLowerCase();
      const value = line.slice(colon + 1).trim();
      const before = headers.get(name);
      headers.set(name, before === undefined ? value : `${before}, ${value}`);
    }
    const status = Number(statusLine.split(' ')[1]);
    const bodyAt = headEnd + 4;
    const bodyEnd = bodyAt + (status < 200 ? 0 : Number(headers.get('content-length') ?? 0));
    if (bodyEnd > bytes.length) return answers;
    answers.push({ status, headers, body: bytes.toString('utf8', bodyAt, bodyEnd) });
    at = bodyEnd;
  }
}
