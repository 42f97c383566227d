import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClientOnFrames } from '../../../support/client-on-frames.ts';
import { frame } from '../../../support/frame-log.ts';
import { HeldTurns } from '../../../support/held-turns.ts';
import { HpackModel, type ModelField } from '../../../support/hpack-model.ts';
import { say } from '../../../support/scripted-h2-server.ts';
import { ask, ServerOnFrames, UNARY_PATH } from '../../../support/server-on-frames.ts';

/** A header block means the same wherever it is cut into HEADERS and CONTINUATION (RFC 9113, 4.3), on both sides. */

const NAMES = ['x-a', 'x-b', 'x-c'];
const shape = fc.record({ form: fc.constantFrom('kept', 'plain', 'secret'), coded: fc.boolean(), short: fc.boolean() });
const lists = fc.array(fc.array(fc.stringMatching(/^[!-~]{1,60}$/), { minLength: NAMES.length, maxLength: NAMES.length }), {
  minLength: 1,
  maxLength: 3,
});
/** Where blocks are cut: as many frames as may be. */
const cutting = fc.record({ cuts: fc.array(fc.nat(400), { maxLength: 8 }), padding: fc.nat(9), priority: fc.boolean() });
type Cutting = typeof cutting extends fc.Arbitrary<infer T> ? T : never;

function frames(block: Buffer, streamId: number, last: boolean, { cuts, padding, priority }: Cutting): Buffer {
  const at = cuts.map((one) => one % (block.length + 1)).sort((a, b) => a - b);
  const parts = [...at, block.length].map((end, i) => block.subarray(i === 0 ? 0 : at[i - 1]!, end));
  return Buffer.concat(
    parts.map((part, i) => {
      const ends = i === parts.length - 1 ? 4 : 0;
      if (i > 0) return frame(9, ends, streamId, part);
      const body = Buffer.concat([Buffer.of(padding), Buffer.alloc(priority ? 5 : 0), part, Buffer.alloc(padding)]);
      return frame(1, ends | 8 | (priority ? 0x20 : 0) | (last ? 1 : 0), streamId, body);
    }),
  );
}

function blockOf(model: HpackModel, pairs: readonly string[], how: Omit<ModelField, 'name' | 'value'>): Buffer {
  const parts: Buffer[] = [];
  for (let i = 0; i < pairs.length; i += 2) parts.push(model.encode({ ...how, name: pairs[i]!, value: pairs[i + 1]! }));
  return Buffer.concat(parts);
}

const ALONE: Cutting = { cuts: [], padding: 0, priority: false };

describe('a header block in any number of frames', () => {
  it('is the same request to the server', () => {
    const requests = (values: readonly string[][], how: Omit<ModelField, 'name' | 'value'>, cut: Cutting): unknown => {
      const server = new ServerOnFrames().greet();
      const model = new HpackModel();
      for (const [i, row] of values.entries()) {
        const pairs = ask.fields(
          UNARY_PATH,
          NAMES.flatMap((name, n) => [name, row[n]!]),
        );
        server.send(frames(blockOf(model, pairs, how), i * 2 + 1, false, cut));
      }
      return server.calls.map(({ path, exchange }) => [path, ...NAMES.map((name) => exchange.header(name))]);
    };
    fc.assert(
      fc.property(lists, shape, cutting, (values, how, cut) => {
        const heard = requests(values, how as ModelField, cut);
        expect(heard).toEqual(requests(values, how as ModelField, ALONE));
        expect(heard).toEqual(values.map((row) => [UNARY_PATH, ...row]));
      }),
      { seed: 7_541, numRuns: 300 },
    );
  });

  it('is the same answer to the client', () => {
    const ends = (values: readonly string[][], how: Omit<ModelField, 'name' | 'value'>, cut: Cutting): unknown => {
      const client = new ClientOnFrames();
      const model = new HpackModel();
      new HeldTurns().run((turn) => {
        client.feed(say.settings());
        for (let i = 0; i < values.length; i++) client.ask(Buffer.alloc(0), false);
        turn();
        for (const [i, row] of values.entries()) {
          const head = [':status', '200', 'content-type', 'application/grpc', 'grpc-status', '7'];
          const pairs = [...head, ...NAMES.flatMap((name, n) => [name, row[n]!]), 'grpc-message', encodeURIComponent(row[0]!)];
          client.feed(frames(blockOf(model, pairs, how), i * 2 + 1, true, cut));
        }
      });
      return client.calls;
    };
    fc.assert(
      fc.property(lists, shape, cutting, (values, how, cut) => {
        const told = ends(values, how as ModelField, cut);
        expect(told).toEqual(ends(values, how as ModelField, ALONE));
        expect(told).toEqual(values.map((row) => [`end 7 ${row[0]!} true`]));
      }),
      { seed: 7_541, numRuns: 300 },
    );
  });
});
