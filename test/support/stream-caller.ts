import { Client, type ClientDuplexStream, credentials, Metadata, type StatusObject } from '@grpc/grpc-js';

const LIMIT_MS = 15_000;

/** One bidirectional call with bytes for messages: what has come, and ways to wait for more of it. */
export class StreamCall {
  readonly call: ClientDuplexStream<Buffer, Buffer>;
  readonly received: Buffer[] = [];
  readonly status: Promise<StatusObject>;
  initial: Metadata | null = null;
  ended = false;
  readonly #waiting = new Set<() => void>();

  constructor(call: ClientDuplexStream<Buffer, Buffer>, reads = true) {
    this.call = call;
    this.status = new Promise((resolve) => {
      call.on('status', (status: StatusObject) => {
        this.ended = true;
        resolve(status);
        this.#wake();
      });
    });
    call.on('error', () => undefined);
    call.on('metadata', (metadata: Metadata) => {
      this.initial = metadata;
      this.#wake();
    });
    if (reads) this.read();
  }

  /** Begins to take answers; a call that does not is a client that does not read. */
  read(): void {
    this.call.on('data', (message: Buffer) => {
      this.received.push(message);
      this.#wake();
    });
  }

  write(message: Uint8Array | string): void {
    this.call.write(Buffer.from(message as string));
  }

  end(): void {
    this.call.end();
  }

  /** Resolves when `count` messages have come. Rejects when the call ends before. */
  async messages(count: number): Promise<readonly Buffer[]> {
    await this.until(`${count} messages`, () => this.received.length >= count || this.ended);
    if (this.received.length < count) throw new Error(`Expected ${count} messages, found ${this.received.length} at the end.`);
    return this.received;
  }

  async until(what: string, holds: () => boolean): Promise<void> {
    const limit = Date.now() + LIMIT_MS;
    while (!holds()) {
      const leftMs = limit - Date.now();
      if (leftMs <= 0) throw new Error(`In vain waited for ${what}; ${this.received.length} messages came.`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#waiting.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

const asIs = (bytes: Buffer): Buffer => bytes;

/** A client with one connection that opens streams. */
export class StreamCaller {
  readonly client: Client;

  constructor(address: string, options: object = {}) {
    this.client = new Client(address, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': -1,
      ...options,
    });
  }

  open(path: string, fields: Readonly<Record<string, string>> = {}, timeoutMs = 0, reads = true): StreamCall {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(fields)) metadata.set(name, value);
    const options = timeoutMs === 0 ? {} : { deadline: Date.now() + timeoutMs };
    return new StreamCall(this.client.makeBidiStreamRequest(path, asIs, asIs, metadata, options), reads);
  }

  close(): void {
    this.client.close();
  }
}
