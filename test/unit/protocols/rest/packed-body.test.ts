import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RequestContext } from '../../../../src/core/context.ts';
import { Phase, Verdict } from '../../../../src/core/verdict.ts';
import { binaryBody, decodeNow, noise } from './binary-fakes.ts';
import { contextOf, MAX_BODY_BYTES, MAX_JSON_BYTES, rest } from './rest-fakes.ts';

const HALVES = Uint8Array.of(0, 60, 1, 2);
const PLAIN = binaryBody(
  { id: 'a', inputs: [{ name: 'half', shape: [2], datatype: 'FP16', parameters: { binary_data_size: 4 } }] },
  HALVES,
);
const PACKERS = { gzip: gzipSync, deflate: deflateSync } as const;

interface Packed {
  readonly coding?: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly budgetBytes?: number;
}

function begin(pieces: readonly Uint8Array[], { coding = 'gzip', fields = {}, budgetBytes }: Packed = {}): RequestContext {
  const given = { 'content-encoding': coding, ...fields };
  const ctx = contextOf(rest(true, budgetBytes), {
    method: 'POST',
    path: '/v2/models/digits/infer',
    fields: given,
    body: pieces,
  });
  expect(ctx.match.fault).toBeNull();
  return ctx;
}

async function decode(pieces: readonly Uint8Array[], packed: Packed = {}): Promise<RequestContext> {
  const ctx = begin(pieces, packed);
  const verdict = await ctx.codec.decode(ctx);
  expect(verdict).toBe(ctx.fault === null ? Verdict.Next : Verdict.Refuse);
  expect(ctx.call).toBeNull();
  return ctx;
}

const refusalOf = ({ fault, faultDetail }: RequestContext): string => `${fault?.code}: ${faultDetail}`;

describe('a packed body', () => {
  it.each(['gzip', 'deflate'] as const)('of %s is read as what it unpacks to, whatever its pieces', async (coding) => {
    const plain = decodeNow(PLAIN.fields, [PLAIN.body]).request!;
    const body = PACKERS[coding](PLAIN.body);
    for (const cut of [0, 1, 10, 17, body.length - 1, body.length]) {
      const { request } = await decode([body.subarray(0, cut), body.subarray(cut)], { coding, fields: PLAIN.fields });
      expect(request).toEqual({ ...plain, inputs: [{ ...plain.inputs[0], data: Buffer.from(HALVES) }] });
    }
  });

  it('holds what it takes beyond the packed bytes', async () => {
    const body = gzipSync(PLAIN.body);
    const ctx = await decode([body], { fields: PLAIN.fields });
    expect(ctx.heldBytes).toBe(body.length + PLAIN.body.length + 131_072);
  });

  it('may be long', async () => {
    const head = { inputs: [{ name: 'x', shape: [7_000_000], datatype: 'UINT8', parameters: { binary_data_size: 7_000_000 } }] };
    const data = noise(50_000);
    const { fields, body } = binaryBody(head, ...Array.from({ length: 140 }, () => data));
    const { request } = await decode([gzipSync(body, { level: 1 })], { fields });
    expect(Buffer.compare(request!.inputs[0]!.data, body.subarray(-7_000_000))).toBe(0);
  });

  it('is let be up to 64 KiB, however well it packs', async () => {
    const head = { inputs: [{ name: 'x', shape: [65_000], datatype: 'UINT8', parameters: { binary_data_size: 65_000 } }] };
    const { fields, body } = binaryBody(head, new Uint8Array(65_000));
    const packed = gzipSync(body);
    expect(packed.length * 100).toBeLessThan(body.length);
    expect((await decode([packed], { fields })).fault).toBeNull();
  });

  it('is refused when it unpacks to too many times its size, long before all of it is unpacked', async () => {
    const bomb = gzipSync(new Uint8Array(7_000_000));
    const ctx = await decode([bomb]);
    expect(refusalOf(ctx)).toBe(
      `BODY_TOO_LARGE: Its ${bomb.length} bytes unpack to more than 100 times as many; send it without a Content-Encoding.`,
    );
    expect(ctx.heldBytes).toBeLessThan(1_000_000);
  });

  it('is refused when it unpacks to more than a body may have', async () => {
    const chunk = noise(65_536);
    const long = gzipSync(Buffer.concat(Array.from({ length: 150 }, () => chunk)), { level: 1 });
    const ctx = await decode([long], { fields: { 'inference-header-content-length': '10' } });
    expect(refusalOf(ctx)).toBe(`BODY_TOO_LARGE: It unpacks to more than ${MAX_BODY_BYTES} bytes.`);
    expect(ctx.heldBytes).toBeLessThan(long.length + MAX_BODY_BYTES + 300_000);
  });

  it('is refused when the process has no room for what it unpacks to, at the start or on the way', async () => {
    const packed = gzipSync(noise(400_000));
    expect(refusalOf(await decode([packed], { budgetBytes: 100_000 }))).toBe('OVERLOADED: ');
    const ctx = await decode([packed], { budgetBytes: 700_000 });
    expect(refusalOf(ctx)).toBe('OVERLOADED: ');
    expect(ctx.heldBytes).toBeLessThanOrEqual(700_000);
  });

  it('holds no more JSON than a plain body may', async () => {
    const long = gzipSync(Buffer.from(noise(4_000_000)).toString('base64'), { level: 1 });
    const stated = { 'inference-header-content-length': String(MAX_JSON_BYTES) };
    const ctx = await decode([long]);
    expect(refusalOf(ctx)).toMatch(/^BODY_TOO_LARGE: At most 4194304 bytes of JSON are taken: send large tensors as binary data/);
    expect(ctx.heldBytes).toBeLessThan(long.length + MAX_JSON_BYTES + 300_000);
    expect(refusalOf(await decode([long], { fields: stated }))).toMatch(/^MALFORMED: expected an object/);
  });

  it.each([
    ['is not packed at all', PLAIN.body, 'gzip', 'incorrect header check'],
    ['is packed otherwise', deflateSync(PLAIN.body), 'gzip', 'incorrect header check'],
    ['lacks the frame of its coding', deflateRawSync(PLAIN.body), 'deflate', ''],
    ['is cut', gzipSync(PLAIN.body).subarray(0, 60), 'gzip', 'unexpected end of file'],
    ['is empty', Buffer.alloc(0), 'gzip', 'unexpected end of file'],
    ['goes on behind its end', Buffer.concat([gzipSync(PLAIN.body), Uint8Array.of(0)]), 'gzip', 'Trailing junk'],
    [
      'has a wrong checksum',
      Buffer.concat([gzipSync(PLAIN.body).subarray(0, -8), Buffer.alloc(8)]),
      'gzip',
      'incorrect data check',
    ],
  ])('that %s is refused', async (_, body, coding, reason) => {
    const ctx = await decode([body], { coding, fields: PLAIN.fields });
    expect(refusalOf(ctx)).toMatch(`MALFORMED: The body is not what Content-Encoding: ${coding} says: ${reason}`);
  });

  it('states the length of its JSON as it is when unpacked', async () => {
    const fields = { 'inference-header-content-length': '1000' };
    const ctx = await decode([gzipSync(PLAIN.body)], { fields });
    expect(refusalOf(ctx)).toBe(
      `MALFORMED: Inference-Header-Content-Length is 1000, but the body has only ${PLAIN.body.length} bytes.`,
    );
  });

  it('stops being unpacked when its request is given up, and holds nothing more', async () => {
    const ctx = begin([gzipSync(noise(2_000_000))]);
    const verdict = ctx.codec.decode(ctx);
    const held = ctx.heldBytes;
    ctx.phase = Phase.Release;
    ctx.call!.cancel();
    expect(await verdict).toBe(Verdict.Refuse);
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect([ctx.heldBytes, ctx.fault, ctx.request]).toEqual([held, null, null]);
  });

  it('survives any damage', async () => {
    const edit = fc.tuple(fc.nat(PLAIN.body.length), fc.nat(3), fc.uint8Array({ maxLength: 3 }));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('gzip', 'deflate'),
        fc.array(edit, { minLength: 1, maxLength: 3 }),
        async (coding, edits) => {
          let mutant: Buffer = PACKERS[coding as 'gzip' | 'deflate'](PLAIN.body);
          for (const [at, cut, insert] of edits)
            mutant = Buffer.concat([mutant.subarray(0, at), insert, mutant.subarray(at + cut)]);
          const ctx = await decode([mutant], { coding, fields: PLAIN.fields });
          if (ctx.fault !== null) expect(ctx.fault.http).toBeLessThan(500);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
