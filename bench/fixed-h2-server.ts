/**
 * A gRPC server that costs next to nothing: it reads frames and answers every call with the same bytes, made at start. It knows no methods,
 * no errors and no limits, and is good for measuring clients alone.
 */

import { type AddressInfo, createServer, type Socket } from 'node:net';
import { PREFACE } from '../src/wire/http2/frames/frame-format.ts';
import { FrameOutput } from '../src/wire/http2/frames/frame-output.ts';
import { FrameReader } from '../src/wire/http2/frames/frame-reader.ts';
import type { FrameSink } from '../src/wire/http2/frames/frame-sink.ts';
import {
  writeDataHead,
  writeHeaderBlock,
  writePing,
  writeSettingsAck,
  writeWindowUpdate,
} from '../src/wire/http2/frames/frame-writer.ts';
import { encodeFields } from '../src/wire/http2/hpack/encoder.ts';
import { Setting, settingsFrame } from '../src/wire/http2/settings.ts';
import { serveAsCompanion } from './companion-side.ts';

const HEAD = encodeFields([':status', '200', 'content-type', 'application/grpc']);
const TRAILERS = encodeFields(['grpc-status', '0']);
const LIMITS = { maxFrameBytes: 16_384, maxBlockBytes: 65_536, maxContinuations: 16 };
const WIDE_BYTES = 1_073_741_824;
const REFILL_BYTES = 268_435_456;

let answered = 0;
let message: Buffer = Buffer.alloc(5);

class Connection implements FrameSink {
  readonly #output: FrameOutput;
  #used = 0;

  constructor(socket: Socket) {
    this.#output = new FrameOutput(socket, { onFlush: () => undefined });
    this.#output.add(settingsFrame([Setting.InitialWindowSize, WIDE_BYTES, Setting.MaxConcurrentStreams, 1_000]));
    writeWindowUpdate(this.#output, 0, WIDE_BYTES);
  }

  onDataStart(_streamId: number, flowBytes: number): number {
    this.#used += flowBytes;
    if (this.#used < REFILL_BYTES) return 0;
    writeWindowUpdate(this.#output, 0, this.#used);
    this.#used = 0;
    return 0;
  }

  onDataBytes(): number {
    return 0;
  }

  onDataEnd(streamId: number, endStream: boolean): number {
    if (!endStream) return 0;
    answered++;
    writeHeaderBlock(this.#output, streamId, HEAD, false);
    writeDataHead(this.#output, streamId, message.length, false);
    this.#output.add(message);
    writeHeaderBlock(this.#output, streamId, TRAILERS, true);
    return 0;
  }

  onSettings(): number {
    writeSettingsAck(this.#output);
    return 0;
  }

  onPing(payload: Buffer, from: number): number {
    writePing(this.#output, true, payload, from);
    return 0;
  }

  onHeaders = nothing;
  onReset = nothing;
  onSettingsAck = nothing;
  onPingAck = nothing;
  onGoAway = nothing;
  onWindowUpdate = nothing;
  onIgnored = nothing;
}

function nothing(): number {
  return 0;
}

serveAsCompanion(listen, () => answered);

function listen({ answer = '' }: Readonly<Record<string, string>>): Promise<number> {
  message = Buffer.from(answer, 'base64');
  const server = createServer({ noDelay: true }, (socket) => {
    const reader = new FrameReader(new Connection(socket), LIMITS);
    let preface = PREFACE.length;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      const from = Math.min(preface, chunk.length);
      preface -= from;
      if (reader.read(chunk, from, chunk.length) !== 0) socket.destroy();
    });
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
}
