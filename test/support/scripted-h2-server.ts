import { type AddressInfo, createServer, type Socket } from 'node:net';
import { PREFACE } from '../../src/wire/http2/frames/frame-format.ts';
import { FrameReader } from '../../src/wire/http2/frames/frame-reader.ts';
import { HpackDecoder } from '../../src/wire/http2/hpack/decoder.ts';
import { encodeFields } from '../../src/wire/http2/hpack/encoder.ts';
import { FrameLog, frame } from './frame-log.ts';

/** A server that says byte for byte what a test wants, and writes down every frame that it hears. */
export class ScriptedPeer {
  /** Frames in words, as FrameLog has them; `headers` have their fields in place of the block. */
  readonly log = new FrameLog();
  readonly fields: Map<string, string>[] = [];
  ended = false;
  readonly #socket: Socket;
  readonly #hpack = new HpackDecoder({ tableBytes: 4_096, maxFields: 128, maxListBytes: 65_536 });
  #noticed: () => void = () => undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    const reader = new FrameReader(this.log, { maxFrameBytes: 16_777_215, maxBlockBytes: 1_000_000, maxContinuations: 100 });
    const { lines } = this.log;
    this.log.onHeaders = (streamId, endStream, block, from, to) => {
      if (!this.#hpack.decode(block, from, to)) throw new Error(this.#hpack.problem);
      const { count, names, values } = this.#hpack.fields;
      this.fields.push(new Map(Array.from({ length: count }, (_, i) => [names[i]!, values[i]!])));
      lines.push(`headers ${streamId} end=${endStream}`);
      return 0;
    };
    let preface = PREFACE.length;
    socket.on('data', (chunk: Buffer) => {
      const from = Math.min(preface, chunk.length);
      preface -= from;
      if (reader.read(chunk, from, chunk.length) !== 0) lines.push(`broken ${reader.problem}`);
      this.#noticed();
    });
    socket.on('close', () => {
      this.ended = true;
      this.#noticed();
    });
    socket.on('error', () => undefined);
  }

  send(...frames: readonly Uint8Array[]): void {
    this.#socket.write(Buffer.concat(frames));
  }

  cut(): void {
    this.#socket.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  /** Waits until it has heard a frame whose line begins so. */
  async heard(line: string): Promise<string> {
    await this.#until(() => this.log.lines.some((one) => one.startsWith(line)));
    return this.log.lines.find((one) => one.startsWith(line))!;
  }

  async gone(): Promise<void> {
    await this.#until(() => this.ended);
  }

  async #until(is: () => boolean): Promise<void> {
    while (!is()) {
      await new Promise<void>((resolve) => {
        this.#noticed = resolve;
      });
    }
  }
}

export interface ScriptedServer {
  readonly address: string;
  /** The next connection. */
  next(): Promise<ScriptedPeer>;
  close(): Promise<void>;
}

export async function startScriptedServer(): Promise<ScriptedServer> {
  const peers: ScriptedPeer[] = [];
  const waiting: ((peer: ScriptedPeer) => void)[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    const peer = new ScriptedPeer(socket);
    const waiter = waiting.shift();
    if (waiter === undefined) peers.push(peer);
    else waiter(peer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    next: () => {
      const peer = peers.shift();
      return peer === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(peer);
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Frames as a server sends them. */
export const say = {
  settings: (...entries: number[]): Buffer => {
    const payload = Buffer.alloc(entries.length * 3);
    for (let i = 0; i + 1 < entries.length; i += 2) {
      payload.writeUInt16BE(entries[i]!, i * 3);
      payload.writeUInt32BE(entries[i + 1]!, i * 3 + 2);
    }
    return frame(4, 0, 0, payload);
  },
  headers: (streamId: number, pairs: readonly string[], endStream = false): Buffer =>
    frame(1, 4 | (endStream ? 1 : 0), streamId, encodeFields(pairs)),
  head: (streamId: number): Buffer => say.headers(streamId, [':status', '200', 'content-type', 'application/grpc']),
  message: (streamId: number, message: string | Uint8Array, flag = 0): Buffer => {
    const bytes = Buffer.from(message as string);
    const head = Buffer.from([flag, 0, 0, 0, 0]);
    head.writeUInt32BE(bytes.length, 1);
    return frame(0, 0, streamId, Buffer.concat([head, bytes]));
  },
  status: (streamId: number, status = '0'): Buffer => say.headers(streamId, ['grpc-status', status], true),
  answer: (streamId: number, message: string): Buffer =>
    Buffer.concat([say.head(streamId), say.message(streamId, message), say.status(streamId)]),
  words: (type: number, streamId: number, ...words: number[]): Buffer => {
    const payload = Buffer.alloc(words.length * 4);
    for (const [i, word] of words.entries()) payload.writeUInt32BE(word >>> 0, i * 4);
    return frame(type, 0, streamId, payload);
  },
  reset: (streamId: number, code: number): Buffer => say.words(3, streamId, code),
  goAway: (lastStreamId: number, code = 0): Buffer => say.words(7, 0, lastStreamId, code),
  window: (streamId: number, increment: number): Buffer => say.words(8, streamId, increment),
};
