import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameReader } from '../../../../src/wire/http2/frames/frame-reader.ts';
import { H2Error } from '../../../../src/wire/http2/h2-error.ts';
import { FrameLog, frame } from '../../../support/frame-log.ts';

const LIMITS = { maxFrameBytes: 16_384, maxBlockBytes: 300, maxContinuations: 4 };
const SETTINGS = frame(4, 0, 0, new Uint8Array(0));

/** One frame, or several that belong together, and what a sink has to hear of them. */
interface Spoken {
  readonly bytes: Buffer;
  readonly line: string;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const streamId = fc.integer({ min: 1, max: 0x7fff_ffff });
const word = fc.nat(0xffff_ffff);
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const padding = fc.option(fc.nat(20), { nil: null });
const padded = (body: Buffer, pad: number | null): Buffer =>
  pad === null ? body : Buffer.concat([Buffer.from([pad]), body, Buffer.alloc(pad, 7)]);

const data = fc.tuple(streamId, fc.uint8Array({ maxLength: 90 }), padding, fc.boolean()).map(([id, body, pad, end]): Spoken => {
  const payload = padded(Buffer.from(body), pad);
  const flags = (pad === null ? 0 : 8) | (end ? 1 : 0);
  return { bytes: frame(0, flags, id, payload), line: `data ${id} flow=${payload.length} ${hex(body)} end=${end}` };
});

const headers = fc
  .tuple(
    streamId,
    fc.uint8Array({ maxLength: 60 }),
    padding,
    fc.boolean(),
    fc.boolean(),
    fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 4 }),
  )
  .map(([id, first, pad, priority, end, more]): Spoken => {
    const body = Buffer.concat([priority ? Buffer.alloc(5, 9) : Buffer.alloc(0), first]);
    const flags = (pad === null ? 0 : 8) | (priority ? 0x20 : 0) | (end ? 1 : 0) | (more.length === 0 ? 4 : 0);
    const parts = [frame(1, flags, id, padded(body, pad))];
    for (const [i, part] of more.entries()) parts.push(frame(9, i === more.length - 1 ? 4 : 0, id, part));
    return { bytes: Buffer.concat(parts), line: `headers ${id} ${hex(first)}${more.map(hex).join('')} end=${end}` };
  });

const others: fc.Arbitrary<Spoken>[] = [
  fc.tuple(streamId, word).map(([id, code]) => ({ bytes: frame(3, 0, id, u32(code)), line: `reset ${id} ${code}` })),
  fc.uint8Array({ minLength: 8, maxLength: 8 }).map((body) => ({ bytes: frame(6, 0, 0, body), line: `ping ${hex(body)}` })),
  fc.uint8Array({ minLength: 8, maxLength: 8 }).map((body) => ({ bytes: frame(6, 1, 0, body), line: `ping ack ${hex(body)}` })),
  fc.uint8Array({ minLength: 12, maxLength: 12 }).map((body) => ({ bytes: frame(4, 0, 0, body), line: `settings ${hex(body)}` })),
  fc.constant({ bytes: frame(4, 1, 0, new Uint8Array(0)), line: 'settings ack' }),
  fc.tuple(streamId, word, fc.uint8Array({ maxLength: 20 })).map(([id, code, debug]) => ({
    bytes: frame(7, 0, 0, Buffer.concat([u32(id), u32(code), debug])),
    line: `goaway ${id} ${code} ${hex(debug)}`,
  })),
  fc.tuple(streamId, fc.nat(0x7fff_ffff)).map(([id, by]) => ({ bytes: frame(8, 0, id, u32(by)), line: `window ${id} ${by}` })),
  fc
    .tuple(fc.integer({ min: 10, max: 255 }), streamId, fc.uint8Array({ maxLength: 30 }))
    .map(([type, id, body]) => ({ bytes: frame(type, 0xff, id, body), line: `ignored ${type}` })),
  streamId.map((id) => ({ bytes: frame(2, 0, id, Buffer.alloc(5)), line: 'ignored 2' })),
];

function readAll(bytes: Buffer, cuts: readonly number[]): { log: string[]; error: number; problem: string } {
  const log = new FrameLog();
  const reader = new FrameReader(log, LIMITS);
  let error = 0;
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    // A copy that is spoilt afterwards: nothing may keep what it was lent.
    const chunk = Buffer.from(bytes.subarray(from, cut));
    error = reader.read(chunk, 0, chunk.length);
    chunk.fill(0xee);
    from = cut;
  }
  return { log: log.lines, error, problem: reader.problem };
}

describe('FrameReader', () => {
  it('tells the same however the bytes are split', () => {
    const stream = fc.array(fc.oneof(data, headers, ...others), { maxLength: 12 });
    fc.assert(
      fc.property(stream, fc.array(fc.nat(2_000), { maxLength: 20 }), (spoken, at) => {
        const bytes = Buffer.concat([SETTINGS, ...spoken.map((one) => one.bytes)]);
        const cuts = at.filter((cut) => cut <= bytes.length).sort((a, b) => a - b);
        const expected = ['settings ', ...spoken.map((one) => one.line)];
        expect(readAll(bytes, cuts)).toEqual({ log: expected, error: 0, problem: '' });
        expect(
          readAll(
            bytes,
            Array.from({ length: bytes.length }, (_, i) => i),
          ),
        ).toEqual({ log: expected, error: 0, problem: '' });
      }),
      { seed: 9_113, numRuns: 300 },
    );
  });

  it('survives any bytes, and tells the same of them however they are split', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(200), { maxLength: 8 }), fc.boolean(), (junk, at, small) => {
        // Small lengths, or hardly anything would come through the head of a frame.
        const body = Buffer.from(junk);
        if (small) for (let i = 0; i < body.length; i += 12) body.fill(0, i, Math.min(i + 2, body.length));
        const bytes = Buffer.concat([SETTINGS, body]);
        const cuts = at.filter((cut) => cut <= bytes.length).sort((a, b) => a - b);
        const whole = readAll(bytes, []);
        expect(readAll(bytes, cuts)).toEqual(whole);
      }),
      { seed: 3, numRuns: 2_000 },
    );
  });

  const block = (length: number): Buffer => Buffer.alloc(length, 0x82);
  it.each([
    ['a beginning without SETTINGS', H2Error.Protocol, Buffer.from('HTTP/1.1 400 Bad Request\r\n')],
    ['an acknowledgement before SETTINGS', H2Error.Protocol, frame(4, 1, 0, block(0))],
    ['a frame beyond the limit', H2Error.FrameSize, Buffer.concat([SETTINGS, frame(0, 0, 1, block(16_385))])],
    ['DATA on the connection', H2Error.Protocol, Buffer.concat([SETTINGS, frame(0, 0, 0, block(1))])],
    ['HEADERS on the connection', H2Error.Protocol, Buffer.concat([SETTINGS, frame(1, 4, 0, block(1))])],
    ['a reset of the connection', H2Error.Protocol, Buffer.concat([SETTINGS, frame(3, 0, 0, block(4))])],
    ['a reset of another length', H2Error.FrameSize, Buffer.concat([SETTINGS, frame(3, 0, 1, block(5))])],
    ['SETTINGS on a stream', H2Error.Protocol, Buffer.concat([SETTINGS, frame(4, 0, 1, block(6))])],
    ['SETTINGS of another length', H2Error.FrameSize, Buffer.concat([SETTINGS, frame(4, 0, 0, block(5))])],
    ['an acknowledgement with something in it', H2Error.FrameSize, Buffer.concat([SETTINGS, frame(4, 1, 0, block(6))])],
    ['PING on a stream', H2Error.Protocol, Buffer.concat([SETTINGS, frame(6, 0, 1, block(8))])],
    ['PING of another length', H2Error.FrameSize, Buffer.concat([SETTINGS, frame(6, 0, 0, block(7))])],
    ['GOAWAY on a stream', H2Error.Protocol, Buffer.concat([SETTINGS, frame(7, 0, 1, block(8))])],
    ['a short GOAWAY', H2Error.FrameSize, Buffer.concat([SETTINGS, frame(7, 0, 0, block(7))])],
    ['WINDOW_UPDATE of another length', H2Error.FrameSize, Buffer.concat([SETTINGS, frame(8, 0, 1, block(3))])],
    ['PRIORITY of another length', H2Error.FrameSize, Buffer.concat([SETTINGS, frame(2, 0, 1, block(4))])],
    ['a push', H2Error.Protocol, Buffer.concat([SETTINGS, frame(5, 4, 1, block(8))])],
    ['a CONTINUATION of nothing', H2Error.Protocol, Buffer.concat([SETTINGS, frame(9, 4, 1, block(1))])],
    [
      'a CONTINUATION on another stream',
      H2Error.Protocol,
      Buffer.concat([SETTINGS, frame(1, 0, 1, block(1)), frame(9, 4, 3, block(1))]),
    ],
    ['a frame within a block', H2Error.Protocol, Buffer.concat([SETTINGS, frame(1, 0, 1, block(1)), frame(6, 0, 0, block(8))])],
    ['padding without end', H2Error.Protocol, Buffer.concat([SETTINGS, frame(0, 8, 1, Buffer.from([1]))])],
    ['padding in HEADERS without end', H2Error.Protocol, Buffer.concat([SETTINGS, frame(1, 12, 1, Buffer.from([9, 1]))])],
    ['padding that is not there', H2Error.FrameSize, Buffer.concat([SETTINGS, frame(0, 8, 1, block(0))])],
    ['a priority in HEADERS that is not whole', H2Error.FrameSize, Buffer.concat([SETTINGS, frame(1, 0x24, 1, block(4))])],
    ['one that is padded', H2Error.FrameSize, Buffer.concat([SETTINGS, frame(1, 0x2c, 1, Buffer.alloc(5))])],
    [
      'a priority that padding leaves no room',
      H2Error.Protocol,
      Buffer.concat([SETTINGS, frame(1, 0x2c, 1, Buffer.of(1, 0, 0, 0, 0, 0))]),
    ],
    [
      'a block in too many frames',
      H2Error.EnhanceYourCalm,
      Buffer.concat([SETTINGS, frame(1, 0, 1, block(1)), ...Array.from({ length: 5 }, () => frame(9, 0, 1, block(0)))]),
    ],
    [
      'a block of too many bytes',
      H2Error.EnhanceYourCalm,
      Buffer.concat([SETTINGS, frame(1, 0, 1, block(200)), frame(9, 4, 1, block(101))]),
    ],
  ])('refuses %s', (_what, code, bytes) => {
    const { error, problem } = readAll(bytes, []);
    expect(error).toBe(code);
    expect(problem).not.toBe('');
    expect(
      readAll(
        bytes,
        Array.from({ length: Math.min(bytes.length, 400) }, (_, i) => i),
      ).error,
    ).toBe(code);
  });

  it('leaves out the reserved bit of a stream id', () => {
    const ping = frame(3, 0, 5, u32(8));
    ping[5] = 0x80;
    expect(readAll(Buffer.concat([SETTINGS, ping]), []).log).toContain('reset 5 8');
  });

  it('stops where its sink says so, and answers with that again', () => {
    const log = new FrameLog();
    log.onPing = () => H2Error.EnhanceYourCalm;
    const reader = new FrameReader(log, LIMITS);
    const bytes = Buffer.concat([SETTINGS, frame(6, 0, 0, block(8)), frame(3, 0, 1, u32(1))]);
    expect(reader.read(bytes, 0, bytes.length)).toBe(H2Error.EnhanceYourCalm);
    expect(reader.read(bytes, 0, bytes.length)).toBe(H2Error.EnhanceYourCalm);
    expect(log.lines).toEqual(['settings ']);
  });
});
