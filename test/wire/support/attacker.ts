import { connect, type Socket } from 'node:net';
import { PREFACE } from '../../../src/wire/http2/frames/frame-format.ts';
import { FrameReader } from '../../../src/wire/http2/frames/frame-reader.ts';
import { FrameLog } from '../../support/frame-log.ts';
import { say } from '../../support/scripted-h2-server.ts';
import type { Flood } from './floods.ts';

const PIECES_AT_ONCE = 200;
const LIMITS = { maxFrameBytes: 16_777_215, maxBlockBytes: 1_000_000, maxContinuations: 100 };

/** Pours a flood as fast as the server takes it, until the server ends the connection. */
export class Attacker {
  readonly ended: Promise<void>;
  readonly #log = new FrameLog();
  readonly #socket: Socket;

  constructor(port: number, { settings, next }: Flood) {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    this.#socket = socket;
    this.ended = new Promise((resolve) => socket.once('close', () => resolve()));
    const reader = new FrameReader(this.#log, LIMITS);
    socket.on('data', (chunk: Buffer) => reader.read(chunk, 0, chunk.length));
    socket.write(Buffer.concat([PREFACE, say.settings(...settings)]));
    let sent = 0;
    const pour = (): void => {
      while (!socket.destroyed && socket.writable) {
        const pieces = Buffer.concat(Array.from({ length: PIECES_AT_ONCE }, () => next(sent++)));
        if (pieces.length === 0 || !socket.write(pieces)) break;
      }
    };
    socket.on('drain', pour);
    pour();
  }

  /** The code of the server's GOAWAY; empty where it could not be read any more. */
  get code(): string {
    return this.#log.lines.find((line) => line.startsWith('goaway'))?.split(' ')[2] ?? '';
  }

  stop(): void {
    this.#socket.destroy();
  }
}
