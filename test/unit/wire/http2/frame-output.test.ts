import { describe, expect, it } from 'vitest';
import { FrameOutput, type Outlet } from '../../../../src/wire/http2/frames/frame-output.ts';
import { FrameReader } from '../../../../src/wire/http2/frames/frame-reader.ts';
import {
  writeDataHead,
  writeGoAway,
  writeHeaderBlock,
  writePing,
  writeReset,
  writeSettingsAck,
  writeWindowUpdate,
} from '../../../../src/wire/http2/frames/frame-writer.ts';
import { takeSlab } from '../../../../src/wire/http2/frames/slab-pool.ts';
import { settingsFrame } from '../../../../src/wire/http2/settings.ts';
import { FrameLog } from '../../../support/frame-log.ts';

/** Takes what it is given at once, or keeps it as a socket does that is slow. */
class Sink implements Outlet {
  readonly writes: Uint8Array[] = [];
  destroyed = false;
  slow = false;
  corks = 0;
  #kept: Uint8Array[] = [];

  get writableLength(): number {
    return this.#kept.reduce((sum, piece) => sum + piece.length, 0);
  }

  write(bytes: Uint8Array): boolean {
    if (this.slow) this.#kept.push(bytes);
    else this.writes.push(Buffer.from(bytes));
    return true;
  }

  drain(): void {
    for (const piece of this.#kept.splice(0)) this.writes.push(Buffer.from(piece));
  }

  cork(): void {
    this.corks++;
  }

  uncork(): void {}
}

function opened(onFlush: (output: FrameOutput) => void = () => undefined): { sink: Sink; output: FrameOutput } {
  const sink = new Sink();
  const output: FrameOutput = new FrameOutput(sink, { onFlush: () => onFlush(output) });
  return { sink, output };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function linesOf(writes: readonly Uint8Array[]): string[] {
  const log = new FrameLog();
  const reader = new FrameReader(log, { maxFrameBytes: 16_384, maxBlockBytes: 100_000, maxContinuations: 16 });
  const bytes = Buffer.concat([settingsFrame([]), ...writes]);
  expect(reader.read(bytes, 0, bytes.length), reader.problem).toBe(0);
  return log.lines.slice(1);
}

describe('FrameOutput', () => {
  it('gathers the frames of a turn into one write, in their order', async () => {
    const { sink, output } = opened();
    writeSettingsAck(output);
    writeReset(output, 3, 8);
    writeWindowUpdate(output, 0, 0x7fff_ffff);
    writePing(output, true, Buffer.from('0011223344556677', 'hex'), 0);
    writeHeaderBlock(output, 5, Buffer.from([0x82]), true);
    writeDataHead(output, 7, 3, true);
    output.add(Buffer.from('abc'));
    writeGoAway(output, 9, 2, 'why');
    expect(sink.writes).toEqual([]);
    expect(output.pendingBytes).toBe(9 + 13 + 13 + 17 + 10 + 12 + 20);
    await turn();
    expect(sink.writes.length).toBe(1);
    expect(output.pendingBytes).toBe(0);
    expect(linesOf(sink.writes)).toEqual([
      'settings ack',
      'reset 3 8',
      'window 0 2147483647',
      'ping ack 0011223344556677',
      'headers 5 82 end=true',
      'data 7 flow=3 616263 end=true',
      `goaway 9 2 ${Buffer.from('why').toString('hex')}`,
    ]);
  });

  it('passes large pieces on without a copy, between what stands around them', async () => {
    const { sink, output } = opened();
    sink.slow = true;
    const large = Buffer.alloc(10_000, 1);
    writeDataHead(output, 1, large.length, false);
    output.add(large);
    writeReset(output, 1, 8);
    await turn();
    expect([sink.corks, sink.writableLength]).toEqual([1, 9 + 10_000 + 13]);
    large.fill(2);
    sink.drain();
    expect(linesOf(sink.writes)).toEqual([`data 1 flow=10000 ${'02'.repeat(10_000)} end=false`, 'reset 1 8']);
  });

  it('leaves its memory to a socket that has not taken all, and only to that', async () => {
    const { sink, output } = opened();
    sink.slow = true;
    writeReset(output, 1, 8);
    await turn();
    const other = takeSlab();
    other.fill(0xee);
    writeReset(output, 3, 8);
    await turn();
    sink.drain();
    expect(linesOf(sink.writes)).toEqual(['reset 1 8', 'reset 3 8']);
    sink.slow = false;
    writeReset(output, 5, 8);
    const used = output.slab;
    await turn();
    expect(takeSlab()).toBe(used);
  });

  it('goes on in another slab when one is full', async () => {
    const { sink, output } = opened();
    const piece = Buffer.alloc(3_000, 5);
    for (let i = 0; i < 50; i++) {
      writeDataHead(output, 1, piece.length, i === 49);
      output.add(piece);
    }
    await turn();
    expect(linesOf(sink.writes).length).toBe(50);
    expect(output.pendingBytes).toBe(0);
  });

  it('asks its owner for frames at the last moment, once a turn', async () => {
    let asked = 0;
    const { sink, output } = opened((own) => {
      if (asked++ === 0) writeReset(own, 1, 8);
    });
    output.schedule();
    output.schedule();
    await turn();
    await turn();
    expect([asked, sink.writes.length]).toEqual([1, 1]);
  });

  it('cuts a long header block into frames that every peer takes', async () => {
    const { sink, output } = opened();
    const block = Buffer.alloc(40_000, 0x82);
    writeHeaderBlock(output, 1, block, true);
    await turn();
    expect(linesOf(sink.writes)).toEqual([`headers 1 ${block.toString('hex')} end=true`]);
  });

  it('forgets what it has when the socket is gone', async () => {
    const { sink, output } = opened();
    writeReset(output, 1, 8);
    sink.destroyed = true;
    await turn();
    expect([sink.writes.length, output.pendingBytes]).toEqual([0, 0]);
  });
});
