import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PREFACE } from '../../../../../src/wire/http2/frames/frame-format.ts';
import { encodeFields } from '../../../../../src/wire/http2/hpack/encoder.ts';
import { frame } from '../../../../support/frame-log.ts';
import { say } from '../../../../support/scripted-h2-server.ts';
import { ask, ServerOnFrames, STREAM_PATH, UNARY_PATH } from '../../../../support/server-on-frames.ts';

/** Frames that fit together or do not, in any order, on a few streams. */
const streamId = fc.constantFrom(0, 1, 3, 5, 7, 2);
const anyFrame = fc.oneof(
  fc
    .record({ id: streamId, path: fc.constantFrom(UNARY_PATH, STREAM_PATH), flags: fc.constantFrom(4, 5, 0, 1) })
    .map((one) => frame(1, one.flags, one.id, encodeFields(ask.fields(one.path)))),
  fc
    .record({ id: streamId, bytes: fc.uint8Array({ maxLength: 40 }), end: fc.boolean() })
    .map((one) => ask.data(one.id, one.bytes, one.end)),
  fc
    .record({ id: streamId, text: fc.string({ maxLength: 40 }), end: fc.boolean() })
    .map((one) => ask.data(one.id, ask.message(one.text), one.end)),
  fc.record({ id: streamId, code: fc.nat(14) }).map((one) => say.reset(one.id, one.code)),
  fc.record({ id: streamId, increment: fc.constantFrom(0, 1, 100, 0x7fff_ffff) }).map((one) => say.window(one.id, one.increment)),
  fc
    .record({ id: fc.nat(8), value: fc.constantFrom(0, 1, 5, 100, 16_384, 65_536, 0x7fff_ffff) })
    .map((one) => say.settings(one.id, one.value)),
  fc
    .record({ type: fc.nat(12), flags: fc.nat(255), id: streamId, bytes: fc.uint8Array({ maxLength: 20 }) })
    .map((one) => frame(one.type, one.flags, one.id, one.bytes)),
);
const wound = fc.record({ at: fc.nat(4_000), octet: fc.nat(255) });

/** Whatever came: the server has broken no rule, and each of its calls was told in order and closed once. */
function check(server: ServerOnFrames): void {
  for (let i = 0; i < 4; i++) server.wait(600);
  server.connection.lost();
  for (const { events } of server.calls) {
    expect(events.filter((event) => event === 'closed')).toHaveLength(1);
    expect(events.at(-1)).toBe('closed');
    expect(events.filter((event) => event === 'left').length).toBeLessThanOrEqual(1);
    expect(events.filter((event) => event === 'finished').length).toBeLessThanOrEqual(1);
  }
}

describe('a connection of the server under hostile bytes', () => {
  it('keeps to the rules and to its word with frames in any order', () => {
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 25 }), fc.nat(3), (frames, turns) => {
        const server = new ServerOnFrames({}, { writeStallMs: 1_000 });
        server.feed(Buffer.concat([PREFACE, say.settings()]));
        for (const [i, bytes] of frames.entries()) {
          server.feed(bytes);
          if (i % (turns + 1) === 0) server.turn();
        }
        server.turn();
        check(server);
      }),
      { numRuns: 2_000 },
    );
  });

  it('does so too with good traffic of which some octets are wrong', () => {
    const good = Buffer.concat([
      PREFACE,
      say.settings(4, 1_000, 1, 100),
      ask.call(1, 'one'),
      ask.head(3, STREAM_PATH),
      ask.data(3, ask.message('a'), false),
      ask.call(5, Buffer.alloc(1_500, 'x')),
      say.window(0, 10_000),
      ask.data(3, ask.message('b'), true),
      say.window(5, 1_000),
      frame(6, 0, 0, Buffer.alloc(8)),
      ask.call(7, 'last'),
    ]);
    fc.assert(
      fc.property(fc.array(wound, { minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 500 }), (wounds, size) => {
        const bytes = Buffer.from(good);
        for (const { at, octet } of wounds) bytes[at % bytes.length] = octet;
        const server = new ServerOnFrames();
        for (let at = 0; at < bytes.length; at += size) {
          server.feed(bytes.subarray(at, at + size));
          server.turn();
        }
        check(server);
      }),
      { numRuns: 2_000 },
    );
  });
});
