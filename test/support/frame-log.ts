import { putFrameHead } from '../../src/wire/http2/frames/frame-format.ts';
import type { FrameSink } from '../../src/wire/http2/frames/frame-sink.ts';

/** Writes down what a reader tells, in words that do not depend on how the bytes were split. */
export class FrameLog implements FrameSink {
  readonly lines: string[] = [];
  #data = '';

  onDataStart(streamId: number, flowBytes: number): number {
    this.#data = `data ${streamId} flow=${flowBytes} `;
    return 0;
  }

  onDataBytes(_streamId: number, chunk: Buffer, from: number, to: number): number {
    this.#data += chunk.toString('hex', from, to);
    return 0;
  }

  onDataEnd(_streamId: number, endStream: boolean): number {
    return this.#add(`${this.#data} end=${endStream}`);
  }

  onHeaders(streamId: number, endStream: boolean, block: Buffer, from: number, to: number): number {
    return this.#add(`headers ${streamId} ${block.toString('hex', from, to)} end=${endStream}`);
  }

  onReset(streamId: number, code: number): number {
    return this.#add(`reset ${streamId} ${code}`);
  }

  onSettings(payload: Buffer, from: number, to: number): number {
    return this.#add(`settings ${payload.toString('hex', from, to)}`);
  }

  onSettingsAck(): number {
    return this.#add('settings ack');
  }

  onPing(payload: Buffer, from: number): number {
    return this.#add(`ping ${payload.toString('hex', from, from + 8)}`);
  }

  onPingAck(payload: Buffer, from: number): number {
    return this.#add(`ping ack ${payload.toString('hex', from, from + 8)}`);
  }

  onGoAway(lastStreamId: number, code: number, payload: Buffer, debugFrom: number, to: number): number {
    return this.#add(`goaway ${lastStreamId} ${code} ${payload.toString('hex', debugFrom, to)}`);
  }

  onWindowUpdate(streamId: number, increment: number): number {
    return this.#add(`window ${streamId} ${increment}`);
  }

  onIgnored(type: number): number {
    return this.#add(`ignored ${type}`);
  }

  #add(line: string): number {
    this.lines.push(line);
    return 0;
  }
}

export function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  putFrameHead(head, 0, payload.length, type, flags, streamId);
  return Buffer.concat([head, payload]);
}
