import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClientOnFrames } from '../../../../support/client-on-frames.ts';
import { frame } from '../../../../support/frame-log.ts';
import { HeldTurns } from '../../../../support/held-turns.ts';
import { HpackModel, type ModelField } from '../../../../support/hpack-model.ts';
import { say } from '../../../../support/scripted-h2-server.ts';

const CALLS = 4;

const field: fc.Arbitrary<ModelField> = fc.record({
  name: fc.constantFrom('x-a', 'x-b', 'set-cookie', 'date'),
  value: fc.stringMatching(/^[!-~]{0,40}$/),
  form: fc.constantFrom('kept', 'plain', 'secret'),
  coded: fc.boolean(),
  short: fc.boolean(),
});

/** One answer: what it holds, and how its frames are cut and padded. */
const answer = fc.record({
  hints: fc.nat(2),
  fields: fc.array(field, { maxLength: 4 }),
  messages: fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 3 }),
  status: fc.constantFrom('0', '0', '0', '7'),
  cuts: fc.array(fc.nat(300), { maxLength: 4 }),
  padding: fc.nat(12),
  between: fc.constantFrom('', 'ping', 'window', 'settings', 'unknown'),
  fate: fc.constantFrom('whole', 'whole', 'whole', 'reset', 'page', 'cut'),
});
type Answer = typeof answer extends fc.Arbitrary<infer T> ? T : never;

function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = cuts.map((one) => Math.min(one, bytes.length)).sort((a, b) => a - b);
  return [...at, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : at[i - 1]!, end));
}

function padded(type: number, flags: number, streamId: number, bytes: Buffer, padding: number): Buffer {
  if (padding === 0) return frame(type, flags, streamId, bytes);
  return frame(type, flags | 8, streamId, Buffer.concat([Buffer.of(padding), bytes, Buffer.alloc(padding)]));
}

class Server {
  readonly #hpack = new HpackModel();

  bytes(one: Answer, streamId: number): Buffer {
    const { hints, fields, messages, status, cuts, padding, between, fate } = one;
    const frames = Array.from({ length: hints }, () => this.#headers(one, streamId, [':status', '103'], [], false));
    const type = fate === 'page' ? 'text/html' : 'application/grpc';
    frames.push(this.#headers(one, streamId, [':status', '200', 'content-type', type], fields, false));
    if (between === 'ping') frames.push(frame(6, 0, 0, Buffer.alloc(8, streamId)));
    if (between === 'window') frames.push(say.window(0, 10));
    if (between === 'settings') frames.push(say.settings(4, 60_000 + streamId));
    if (between === 'unknown') frames.push(frame(77, 0xff, streamId, Buffer.alloc(9)));
    const body = Buffer.concat(messages.map((message) => say.message(streamId, message).subarray(9)));
    for (const part of cut(body, cuts)) frames.push(padded(0, 0, streamId, part, padding));
    if (fate === 'reset') frames.push(say.reset(streamId, 8));
    else if (fate === 'cut') frames.push(frame(0, 1, streamId, Buffer.alloc(0)));
    else frames.push(this.#headers(one, streamId, ['grpc-status', status], fields, true));
    return Buffer.concat(frames);
  }

  #headers(one: Answer, streamId: number, head: readonly string[], fields: readonly ModelField[], last: boolean): Buffer {
    const first: ModelField[] = [];
    for (let i = 0; i < head.length; i += 2) {
      first.push({ name: head[i]!, value: head[i + 1]!, form: 'kept', coded: i === 2, short: true });
    }
    const block = Buffer.concat([...first, ...fields].map((each) => this.#hpack.encode(each)));
    const parts = cut(block, one.cuts);
    return Buffer.concat(
      parts.map((part, i) => {
        const ends = i === parts.length - 1 ? 4 : 0;
        return i > 0 ? frame(9, ends, streamId, part) : padded(1, ends | (last ? 1 : 0), streamId, part, one.padding);
      }),
    );
  }
}

/** What the client says and tells of these pieces; turns of the loop may end between them. */
function heard(pieces: readonly Buffer[], turnsEnd: boolean): unknown {
  const { log, calls, ended } = new HeldTurns().run((turn) => {
    const client = new ClientOnFrames();
    client.feed(say.settings());
    for (let i = 0; i < CALLS; i++) client.ask(Buffer.from(`question ${i}`), i % 2 === 1);
    turn();
    for (const piece of pieces) {
      client.feed(piece);
      if (turnsEnd) turn();
    }
    return client;
  });
  const ofStream = (line: string): string => (/^(headers|data|reset|window) (\d+)/.exec(line) ?? ['', '', '0'])[2]!;
  return [Object.groupBy(log.lines, ofStream), calls, ended];
}

describe('the client, however the bytes of its server are split', () => {
  it('says the same and tells the same', () => {
    fc.assert(
      fc.property(
        fc.array(answer, { minLength: 1, maxLength: CALLS }),
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 20 }),
        fc.boolean(),
        (answers, sizes, turnsEnd) => {
          const server = new Server();
          const stream = Buffer.concat(answers.map((one, i) => server.bytes(one, i * 2 + 1)));
          const pieces: Buffer[] = [];
          for (let at = 0, i = 0; at < stream.length; i++) {
            const size = sizes[i % sizes.length]!;
            pieces.push(stream.subarray(at, at + size));
            at += size;
          }
          expect(heard(pieces, turnsEnd)).toEqual(heard([stream], false));
        },
      ),
      { seed: 9_113, numRuns: 300 },
    );
  });

  it('also byte for byte', () => {
    const stream = Buffer.concat([say.answer(1, 'one'), say.answer(3, 'two'), say.status(5, '7'), say.reset(7, 8)]);
    const octets = Array.from(stream, (octet) => Buffer.of(octet));
    expect(heard(octets, true)).toEqual(heard([stream], false));
    const [, calls] = heard([stream], false) as [unknown, string[][]];
    expect(calls).toEqual([
      [`message ${Buffer.from('one').toString('hex')}`, 'end 0'],
      [`message ${Buffer.from('two').toString('hex')}`, 'end 0  true'],
      [expect.stringMatching(/^end 13 /)],
      [expect.stringMatching(/^end 1 /)],
    ]);
  });
});
