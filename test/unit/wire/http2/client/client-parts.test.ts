import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backoff } from '../../../../../src/wire/http2/client/backoff.ts';
import { CallHeads } from '../../../../../src/wire/http2/client/call-heads.ts';
import { UnreadMessages } from '../../../../../src/wire/http2/client/unread-messages.ts';
import { FrameOutput } from '../../../../../src/wire/http2/frames/frame-output.ts';
import { HpackDecoder } from '../../../../../src/wire/http2/hpack/decoder.ts';
import { MessageReader } from '../../../../../src/wire/http2/message-reader.ts';

describe('Backoff', () => {
  it('grows from 100 ms to two seconds, with some chance', () => {
    const middle = new Backoff(() => 0.5);
    const pauses = Array.from({ length: 9 }, () => middle.next());
    expect(pauses).toEqual([100, 160, 256, 410, 655, 1_049, 1_678, 2_000, 2_000]);
    middle.reset();
    expect(middle.next()).toBe(100);
    expect([new Backoff(() => 0).next(), new Backoff(() => 1).next()]).toEqual([80, 120]);
  });
});

describe('CallHeads', () => {
  const heads = new CallHeads({ authority: 'a:1', secure: true, isCarried: (name) => name !== 'te' });
  const read = (headers: readonly string[], timeoutMs: number, first = false): string[] => {
    const written: Uint8Array[] = [];
    const outlet = {
      write: (bytes: Uint8Array) => written.push(Buffer.from(bytes)) > 0,
      cork: () => undefined,
      uncork: () => undefined,
    };
    const output = new FrameOutput({ ...outlet, writableLength: 0, destroyed: false }, { onFlush: () => undefined });
    heads.write(output, 1, { path: '/p', headers, timeoutMs }, first);
    output.flush();
    const bytes = Buffer.concat(written);
    let block = Buffer.alloc(0);
    for (let at = 0; at < bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
      block = Buffer.concat([block, bytes.subarray(at + 9, at + 9 + bytes.readUIntBE(at, 3))]);
    }
    if (first) expect(block[0]).toBe(0x20);
    const decoder = new HpackDecoder({ tableBytes: 4_096, maxFields: 100, maxListBytes: 1_000_000 });
    expect(decoder.decode(block, 0, block.length), decoder.problem).toBe(true);
    return Array.from({ length: decoder.fields.count }, (_, i) => `${decoder.fields.names[i]}: ${decoder.fields.values[i]}`);
  };
  const constant = [':method: POST', ':scheme: https', ':path: /p', ':authority: a:1', 'te: trailers'];
  constant.push('content-type: application/grpc', 'user-agent: sluice', 'grpc-accept-encoding: identity');

  it('writes what is the same for all, and what is a call’s own behind it', () => {
    expect(read(['X-A', '1', 'te', 'x', 'authorization', 'k', 'x-bad', 'a\r\nb', 'x-blank', ' a'], 5, true)).toEqual([
      ...constant,
      'grpc-timeout: 5m',
      'x-a: 1',
      'authorization: k',
    ]);
  });

  it.each([
    [1, '1m'],
    [99_999_999, '99999999m'],
    [100_000_000, '100000S'],
    [100_000_001, '100001S'],
  ])('writes a timeout of %i ms as %s', (ms, text) => {
    expect(read([], ms)).toEqual([...constant, `grpc-timeout: ${text}`]);
  });

  it('takes several frames where the fields are long', () => {
    const long = 'v'.repeat(40_000);
    expect(read(['x-long', long], 1)).toEqual([...constant, 'grpc-timeout: 1m', `x-long: ${long}`]);
  });

  it('counts as the receiver does', () => {
    expect(heads.fits('/p', [], 500)).toBe(true);
    expect(heads.fits('/p', ['x', 'v'.repeat(400)], 500)).toBe(false);
  });
});

describe('UnreadMessages', () => {
  it('gives back what it was given, in order, and knows how much it has', () => {
    const unread = new UnreadMessages();
    let taken = 0;
    for (let added = 0; added < 5_000; added++) {
      unread.add(Buffer.from([added & 0xff]));
      if (added % 3 > 0) expect(unread.take()[0]).toBe(taken++ & 0xff);
    }
    expect(unread.bytes).toBe((5_000 - taken) * 6);
    while (!unread.isEmpty) expect(unread.take()[0]).toBe(taken++ & 0xff);
    expect([taken, unread.bytes]).toEqual([5_000, 0]);
  });
});

describe('MessageReader', () => {
  it('cuts the same messages out of any pieces, and keeps nothing that it was lent', () => {
    const message = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.integer({ min: 60_000, max: 300_000 }).map((n) => new Uint8Array(n).fill(n)),
    );
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1 }),
        (messages, sizes) => {
          const framed = messages.map((one) => {
            const head = Buffer.alloc(5);
            head.writeUInt32BE(one.length, 1);
            return Buffer.concat([head, one]);
          });
          const bytes = Buffer.concat(framed);
          const reader = new MessageReader(300_000, Number.POSITIVE_INFINITY);
          const read: Buffer[] = [];
          for (let at = 0, n = 0; at < bytes.length; n++) {
            const chunk = Buffer.from(bytes.subarray(at, at + sizes[n % sizes.length]!));
            for (let from = 0; from < chunk.length; ) {
              from = reader.read(chunk, from, chunk.length);
              if (reader.message !== null) read.push(reader.message);
              reader.message = null;
            }
            at += chunk.length;
            chunk.fill(0xee);
          }
          expect(read.length).toBe(messages.length);
          for (const [i, one] of read.entries()) expect(one.equals(messages[i]!)).toBe(true);
          expect(reader.haveBytes).toBe(0);
        },
      ),
      { seed: 5, numRuns: 60 },
    );
  });

  it('gives views where it may, and only of what lies whole in a chunk', () => {
    const reader = new MessageReader(1_000, 4);
    const chunk = Buffer.from('00000000046162636400000000026566', 'hex');
    const at = reader.read(chunk, 0, chunk.length);
    expect([at, reader.message!.buffer === chunk.buffer, reader.message!.toString()]).toEqual([9, true, 'abcd']);
    reader.message = null;
    reader.read(chunk, at, chunk.length);
    chunk.fill(0);
    expect(reader.message!.toString()).toBe('ef');
  });

  it.each([
    ['size', '00000003e9'],
    ['size', '00ffffffff'],
    ['compressed', '0100000001'],
    ['flag', '02'],
  ])('refuses for its %s: %s', (refusal, bytes) => {
    const reader = new MessageReader(1_000, 0);
    reader.read(Buffer.from(bytes, 'hex'), 0, bytes.length / 2);
    expect(reader.refusal).toBe(refusal);
  });

  it('takes no memory for a mere claim', () => {
    const before = process.memoryUsage().arrayBuffers;
    const readers = Array.from({ length: 100 }, () => new MessageReader(0xffff_ffff, 0));
    for (const reader of readers) reader.read(Buffer.from('00fffffff001', 'hex'), 0, 6);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
  });

  it('puts large messages together, however often they are moved', () => {
    const message = Buffer.alloc(20_000_000);
    for (let at = 0; at + 4 <= message.length; at += 4) message.writeUInt32LE(at, at);
    const reader = new MessageReader(message.length, 0);
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    reader.read(head, 0, 5);
    for (let at = 0; at < message.length; at += 65_000) {
      const chunk = message.subarray(at, at + 65_000);
      reader.read(chunk, 0, chunk.length);
    }
    expect(reader.message!.equals(message)).toBe(true);
  });

  it('takes no more than eight times what has come of a message', () => {
    const chunk = Buffer.alloc(65_536);
    const reader = new MessageReader(0xffff_ffff, 0);
    reader.read(Buffer.from('0040000000', 'hex'), 0, 5);
    const before = process.memoryUsage().arrayBuffers;
    for (let came = 0; came < 20_000_000; came += chunk.length) {
      reader.read(chunk, 0, chunk.length);
      // What it had before may not be collected yet.
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(Math.max(65_536, reader.haveBytes) * 10);
    }
  });
});
