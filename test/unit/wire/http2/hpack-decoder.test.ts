import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HpackDecoder } from '../../../../src/wire/http2/hpack/decoder.ts';
import { HpackModel, huffman, integer, type ModelField, text } from '../../../support/hpack-model.ts';

const LIMITS = { tableBytes: 4_096, maxFields: 128, maxListBytes: 65_536 };

const fieldsOf = ({ fields }: HpackDecoder): string[][] =>
  Array.from({ length: fields.count }, (_, i) => [fields.names[i]!, fields.values[i]!]);

function decode(decoder: HpackDecoder, block: Buffer): string[][] {
  expect(decoder.decode(block, 0, block.length), decoder.problem).toBe(true);
  return fieldsOf(decoder);
}

const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(/\s/g, ''), 'hex');

/** RFC 7541, Appendix C: each row is a run of blocks on one connection, with the size of the table after each. */
const EXAMPLES: readonly [name: string, tableBytes: number, blocks: readonly [string, string[][], number][]][] = [
  [
    'C.2.1 a literal that is indexed',
    4_096,
    [['400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572', [['custom-key', 'custom-header']], 55]],
  ],
  ['C.2.2 a literal that is not indexed', 4_096, [['040c 2f73 616d 706c 652f 7061 7468', [[':path', '/sample/path']], 0]]],
  ['C.2.3 a literal that is never indexed', 4_096, [['1008 7061 7373 776f 7264 0673 6563 7265 74', [['password', 'secret']], 0]]],
  ['C.2.4 an indexed field', 4_096, [['82', [[':method', 'GET']], 0]]],
  [
    'C.3 requests without Huffman',
    4_096,
    [
      ['8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d', request('http', '/'), 57],
      ['8286 84be 5808 6e6f 2d63 6163 6865', [...request('http', '/'), ['cache-control', 'no-cache']], 110],
      [
        '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
        [...request('https', '/index.html'), ['custom-key', 'custom-value']],
        164,
      ],
    ],
  ],
  [
    'C.4 requests with Huffman',
    4_096,
    [
      ['8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff', request('http', '/'), 57],
      ['8286 84be 5886 a8eb 1064 9cbf', [...request('http', '/'), ['cache-control', 'no-cache']], 110],
      [
        '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
        [...request('https', '/index.html'), ['custom-key', 'custom-value']],
        164,
      ],
    ],
  ],
  [
    'C.5 answers without Huffman, and eviction',
    256,
    [
      [
        `4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e
         1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
        response('302', '21'),
        222,
      ],
      ['4803 3330 37c1 c0bf', response('307', '21'), 222],
      [
        `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d
         4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572
         7369 6f6e 3d31`,
        lastResponse(),
        215,
      ],
    ],
  ],
  [
    'C.6 answers with Huffman, and eviction',
    256,
    [
      [
        `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b
         97c8 e9ae 82ae 43d3`,
        response('302', '21'),
        222,
      ],
      ['4883 640e ffc1 c0bf', response('307', '21'), 222],
      [
        `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf
         cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
        lastResponse(),
        215,
      ],
    ],
  ],
];

function request(scheme: string, path: string): string[][] {
  return [
    [':method', 'GET'],
    [':scheme', scheme],
    [':path', path],
    [':authority', 'www.example.com'],
  ];
}

function response(status: string, second: string): string[][] {
  return [
    [':status', status],
    ['cache-control', 'private'],
    ['date', `Mon, 21 Oct 2013 20:13:${second} GMT`],
    ['location', 'https://www.example.com'],
  ];
}

function lastResponse(): string[][] {
  const cookie = 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1';
  return [...response('200', '22'), ['content-encoding', 'gzip'], ['set-cookie', cookie]];
}

describe('HpackDecoder', () => {
  it.each(EXAMPLES)('reads the example %s', (_name, tableBytes, blocks) => {
    const decoder = new HpackDecoder({ ...LIMITS, tableBytes });
    if (tableBytes < 4_096) decode(decoder, integer(0x20, 5, tableBytes));
    for (const [block, fields, size] of blocks) {
      expect(decode(decoder, hex(block))).toEqual(fields);
      expect(decoder.tableBytes).toBe(size);
    }
  });

  it('reads whatever an encoder may write, and keeps the same table', () => {
    const name = fc.constantFrom('a', 'x-long-name', ':path', ':status', 'grpc-status', 'content-type');
    const value = fc.oneof(
      fc.constantFrom('', '200', '/', 'application/grpc'),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    );
    const form = fc.constantFrom('kept', 'kept', 'plain', 'secret');
    const field: fc.Arbitrary<ModelField> = fc.record({ name, value, form, coded: fc.boolean(), short: fc.boolean() }) as never;
    const block = fc.record({ sizes: fc.array(fc.nat(4_096), { maxLength: 2 }), fields: fc.array(field, { maxLength: 12 }) });
    fc.assert(
      fc.property(fc.array(block, { maxLength: 12 }), (blocks) => {
        const model = new HpackModel();
        const decoder = new HpackDecoder(LIMITS);
        for (const { sizes, fields } of blocks) {
          const bytes = Buffer.concat([...sizes.map((size) => model.resize(size)), ...fields.map((one) => model.encode(one))]);
          expect(decode(decoder, bytes)).toEqual(fields.map((one) => [one.name, one.value]));
          expect(decoder.tableBytes).toBe(model.size);
        }
      }),
      { seed: 7_541, numRuns: 300 },
    );
  });

  it('takes a block that comes again for what it says now, whatever has changed the table since', () => {
    // Few fields, so that the same octets come again, by tables that make the same and something else of them.
    const field: fc.Arbitrary<ModelField> = fc.record({
      name: fc.constantFrom('a', 'b'),
      value: fc.constantFrom('1', '2', '3'),
      form: fc.constantFrom('kept', 'plain', 'plain', 'plain'),
      coded: fc.constant(false),
      short: fc.constantFrom(true, true, true, false),
    }) as never;
    const block = fc.record({ sizes: fc.constantFrom([], [], [], [0, 4_096], [64]), fields: fc.array(field, { maxLength: 2 }) });
    let repeats = 0;
    fc.assert(
      fc.property(fc.array(block, { minLength: 20, maxLength: 60 }), (blocks) => {
        const model = new HpackModel();
        const decoder = new HpackDecoder(LIMITS);
        const lists = new Set();
        for (const { sizes, fields } of blocks) {
          const bytes = Buffer.concat([...sizes.map((size) => model.resize(size)), ...fields.map((one) => model.encode(one))]);
          expect(decode(decoder, bytes)).toEqual(fields.map((one) => [one.name, one.value]));
          expect(decoder.tableBytes).toBe(model.size);
          if (lists.has(decoder.fields.reading)) repeats++;
          decoder.fields.reading ??= {};
          lists.add(decoder.fields.reading);
        }
      }),
      { seed: 7_542, numRuns: 300 },
    );
    expect(repeats).toBeGreaterThan(500);
  });

  it('never reads beyond a block, whatever bytes it is given', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 6 }), (blocks) => {
        const decoder = new HpackDecoder({ tableBytes: 512, maxFields: 8, maxListBytes: 400 });
        for (const bytes of blocks) {
          const framed = Buffer.concat([Buffer.from([0xff]), bytes, Buffer.from([0x82, 0x82])]);
          const alone = new HpackDecoder(LIMITS).decode(Buffer.from(bytes), 0, bytes.length);
          expect(new HpackDecoder(LIMITS).decode(framed, 1, 1 + bytes.length)).toBe(alone);
          if (!decoder.decode(framed, 1, 1 + bytes.length)) return;
          expect(decoder.fields.count).toBeLessThanOrEqual(8);
          expect(decoder.tableBytes).toBeLessThanOrEqual(4_096);
        }
      }),
      { seed: 1, numRuns: 2_000 },
    );
  });

  it.each([
    ['index 0', '80', 'no entry 0'],
    ['an index beyond the tables', 'be', 'no entry 62'],
    ['a name beyond the tables', '7f00 0161', 'no entry 63'],
    ['an index that does not end', 'ffff', 'no end'],
    ['an integer beyond all sense', 'ffff ffff ff7f', 'too large'],
    ['an integer that goes on for ever', 'ff80 8080 8080 8080 8080 8000', 'too large'],
    ['a string that is missing', '00', 'missing'],
    ['a string that is cut off', '0005 61', 'longer than its block'],
    ['EOS in a string', '0001 6185 ffff ffff ff', 'Huffman'],
    ['padding of more than seven bits', '0001 6182 1fff', 'Huffman'],
    ['padding with a zero', '0001 6181 18', 'Huffman'],
    ['a size update behind a field', '8220', 'behind a field'],
    ['a larger table than allowed', '3fe2 1f', '4096 are allowed'],
  ])('refuses %s', (_what, block, problem) => {
    const decoder = new HpackDecoder(LIMITS);
    const bytes = hex(block);
    expect(decoder.decode(bytes, 0, bytes.length)).toBe(false);
    expect(decoder.problem).toContain(problem);
  });

  it('wants to hear of a smaller table before anything else', () => {
    const decoder = new HpackDecoder({ ...LIMITS, tableBytes: 100 });
    decode(decoder, hex('400161 0162'));
    decoder.limitTable(100);
    expect(decoder.decode(hex('82'), 0, 1)).toBe(false);
    decode(decoder, Buffer.concat([integer(0x20, 5, 100), hex('82')]));
    expect(decoder.decode(hex('3f 46'), 0, 2), 'more than the limit').toBe(false);
  });

  it('does without that where no table is left, and then finds no entry', () => {
    const decoder = new HpackDecoder({ ...LIMITS, tableBytes: 0 });
    decode(decoder, hex('4001 6101 62'));
    decoder.limitTable(0);
    expect(decode(decoder, hex('82 4001 6301 64'))).toEqual([
      [':method', 'GET'],
      ['c', 'd'],
    ]);
    expect(decoder.decode(hex('be'), 0, 1)).toBe(false);
    expect(decoder.problem).toContain('no entry 62');
  });

  it('goes on behind a list that is too large, with the table in step', () => {
    const decoder = new HpackDecoder({ ...LIMITS, maxFields: 2 });
    const three = Buffer.concat(['a', 'b', 'c'].map((name) => Buffer.concat([hex('40'), text(name, false), text('1', true)])));
    expect(decode(decoder, three)).toEqual([
      ['a', '1'],
      ['b', '1'],
    ]);
    expect(decoder.fields.tooLarge).toBe(true);
    expect(decode(decoder, hex('be'))).toEqual([['c', '1']]);
    expect(decoder.fields.tooLarge).toBe(false);
    const long = new HpackDecoder({ ...LIMITS, maxListBytes: 40 });
    decode(long, Buffer.concat([hex('00'), text('name', false), text('12345', false)]));
    expect(long.fields.tooLarge).toBe(true);
  });

  it.each([
    ['Name', 'v'],
    ['na me', 'v'],
    ['', 'v'],
    ['a:b', 'v'],
    [':', 'v'],
    ['naïve', 'v'],
    ['n', ' v'],
    ['n', 'v\t'],
    ['n', 'a\nb'],
    ['n', 'a\rb'],
    ['n', 'a\0b'],
  ])('sees that a message with %j: %j is malformed, also from the table', (name, value) => {
    const decoder = new HpackDecoder(LIMITS);
    decode(decoder, Buffer.concat([hex('40'), text(name, false), text(value, false)]));
    expect(decoder.fields.malformed).toBe(true);
    decode(decoder, hex('be'));
    expect(decoder.fields.malformed).toBe(true);
    decode(decoder, hex('82'));
    expect(decoder.fields.malformed).toBe(false);
  });
});

describe('the Huffman code', () => {
  it('has every octet', () => {
    const all = Array.from({ length: 256 }, (_, octet) => String.fromCharCode(octet)).join('');
    const decoder = new HpackDecoder(LIMITS);
    const coded = huffman(all);
    expect(decode(decoder, Buffer.concat([hex('0001 61'), integer(0x80, 7, coded.length), coded]))).toEqual([['a', all]]);
  });
});
