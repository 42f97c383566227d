import { SeededRandom } from '../../../scripts/models/seeded-random.ts';
import { FrameReader } from '../../../src/wire/http2/frames/frame-reader.ts';
import { HpackDecoder } from '../../../src/wire/http2/hpack/decoder.ts';
import { huffmanDecode, huffmanRoom } from '../../../src/wire/http2/hpack/huffman.ts';
import { MessageReader } from '../../../src/wire/http2/message-reader.ts';
import { FrameLog, frame } from '../../../test/support/frame-log.ts';
import { HpackModel, huffman, integer } from '../../../test/support/hpack-model.ts';
import { STREAM_PATH, UNARY_PATH } from '../../../test/support/server-on-frames.ts';
import type { Target } from '../targets.ts';
import { feedClient, sameHowever as sameClient } from './client-runs.ts';
import { clientSession } from './client-session.ts';
import { anyOf, FieldBlocks } from './field-blocks.ts';
import { mutatedFrames } from './frame-mutations.ts';
import { piecesOf, same } from './pieces.ts';
import { feedServer, sameHowever as sameServer } from './server-runs.ts';
import { serverSession } from './server-session.ts';

/** HTTP/2 of our own: its parts, and both of its state machines. Whatever comes, and however it is cut, each says the same. */

const PATHS = { unary: UNARY_PATH, stream: STREAM_PATH, refuse: '/test.Service/Refuse', never: '/test.Service/Never' };
const SEEDS = 12;
const MOST_CALLS = 5;
const HPACK = { tableBytes: 4_096, maxFields: 128, maxListBytes: 16_384 };
const FRAMES = { maxFrameBytes: 16_384, maxBlockBytes: 65_536, maxContinuations: 8 };
const MAX_MESSAGE_BYTES = 100_000;
const SETTINGS = frame(4, 0, 0, Buffer.alloc(0));
const FIELDS = [':status', '200', 'content-type', 'application/grpc', 'grpc-status', '0', 'x-a', 'value', 'set-cookie', 'a=b'];

const seedsOf = (make: (random: SeededRandom) => Buffer): Buffer[] =>
  Array.from({ length: SEEDS }, (_, seed) => make(new SeededRandom(seed)));
/** So many of the same kind, one behind the other. */
const many =
  (make: (random: SeededRandom) => Buffer) =>
  (random: SeededRandom, size: number): Buffer => {
    const parts: Buffer[] = [];
    for (let bytes = 0; bytes < size; bytes += parts.at(-1)!.length) parts.push(Buffer.concat([make(random), Buffer.of(0)]));
    return Buffer.concat(parts).subarray(0, size);
  };

const clientBytes = (random: SeededRandom): Buffer => Buffer.concat(clientSession(random, PATHS));
const serverBytes = (random: SeededRandom): Buffer => Buffer.concat(serverSession(random, MOST_CALLS));
const wrongClientBytes = (random: SeededRandom): Buffer => Buffer.concat(mutatedFrames(random, clientSession(random, PATHS)));
const wrongServerBytes = (random: SeededRandom): Buffer =>
  Buffer.concat(mutatedFrames(random, serverSession(random, MOST_CALLS)));

function blocks(random: SeededRandom): Buffer {
  const writer = new FieldBlocks(random);
  const parts: Buffer[] = [];
  for (let count = 1 + random.below(4); count > 0; count--) {
    const at = 2 * random.below(FIELDS.length / 2);
    const block = writer.block([...FIELDS.slice(at), ...FIELDS.slice(0, at)]);
    parts.push(integer(0, 8, block.length), block);
  }
  return Buffer.concat(parts);
}

/** Blocks of one connection, each behind its length in one octet; what follows the last whole one is one too. */
function decodeAll(bytes: Buffer, each: (decoder: HpackDecoder, decoded: boolean, block: Buffer) => void): void {
  const decoder = new HpackDecoder(HPACK);
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 1 + bytes[at]!);
    const decoded = decoder.decode(bytes, at + 1, end);
    each(decoder, decoded, bytes.subarray(at + 1, end));
    if (!decoded) return;
    at = end;
  }
}

const fieldsOf = ({ fields }: HpackDecoder): string[] =>
  Array.from({ length: fields.count }, (_, i) => `${fields.names[i]}\n${fields.values[i]}`);

function checkHpack(bytes: Buffer): void {
  let where = 0;
  const told: string[][] = [];
  decodeAll(bytes, (decoder, decoded) => {
    const { fields, tableBytes } = decoder;
    if (fields.count > HPACK.maxFields || tableBytes > HPACK.tableBytes) throw new Error('more is kept than may be');
    told.push([String(decoded), ...(decoded ? fieldsOf(decoder) : [])]);
    if (!decoded || fields.tooLarge) return;
    // What was read is written as nobody else would write it, and read again.
    const model = new HpackModel();
    const again = new HpackDecoder(HPACK);
    const pairs = Array.from({ length: fields.count }, (_, i) => ({ name: fields.names[i]!, value: fields.values[i]! }));
    const block = Buffer.concat(
      pairs.map((pair, i) => model.encode({ ...pair, form: i % 2 === 0 ? 'kept' : 'plain', coded: i % 3 === 0, short: true })),
    );
    same(
      [again.decode(block, 0, block.length), fieldsOf(again)],
      [true, fieldsOf(decoder)],
      'fields that are written and read again',
    );
  });
  // Elsewhere in memory, with other bytes around it.
  decodeAll(bytes, () => undefined);
  const around = Buffer.concat([Buffer.alloc(7, 0xff), bytes, Buffer.alloc(7, 0x82)]);
  const moved = around.subarray(7, 7 + bytes.length);
  decodeAll(moved, (decoder, decoded) =>
    same([String(decoded), ...(decoded ? fieldsOf(decoder) : [])], told[where++], 'the same block elsewhere'),
  );
}

const scratch = Buffer.alloc(huffmanRoom(65_536));

/** Whoever decodes to a text gets the same bytes when that text is encoded, since the code leaves no choice (RFC 7541, 5.2). */
function checkHuffman(bytes: Buffer): void {
  const octets = huffmanDecode(bytes, 0, bytes.length, scratch);
  if (octets > huffmanRoom(bytes.length)) throw new Error(`${octets} octets of ${bytes.length}`);
  if (octets >= 0 && octets < 2_000)
    same(huffman(scratch.toString('latin1', 0, octets)).toString('hex'), bytes.toString('hex'), 'the code');
}

function frames(bytes: Buffer, pieces: readonly Buffer[]): unknown {
  const log = new FrameLog();
  const reader = new FrameReader(log, FRAMES);
  reader.read(SETTINGS, 0, SETTINGS.length);
  let error = 0;
  for (const piece of pieces) {
    const chunk = Buffer.from(piece);
    error = reader.read(chunk, 0, chunk.length);
    chunk.fill(0xee);
  }
  return [bytes.length, error, reader.problem, log.lines];
}

/** Each message is told as it comes, and lives no longer. */
function readMessages(pieces: readonly Buffer[], tell: (reader: MessageReader) => void): MessageReader {
  const reader = new MessageReader(MAX_MESSAGE_BYTES, Number.POSITIVE_INFINITY, true);
  for (const piece of pieces) {
    for (let at = 0; at < piece.length && reader.refusal === ''; ) {
      at = reader.read(piece, at, piece.length);
      if (reader.message !== null) tell(reader);
      reader.message = null;
    }
  }
  return reader;
}

function messages(pieces: readonly Buffer[]): unknown {
  const told: string[] = [];
  const { refusal, haveBytes } = readMessages(pieces, ({ isCompressed, message: whole }) => {
    told.push(`${isCompressed} ${whole!.toString('hex')}`);
  });
  return [told, refusal, refusal === '' ? haveBytes : 0];
}

const message = (random: SeededRandom): Buffer => {
  const body = Buffer.alloc(random.below(200), random.below(256));
  const head = Buffer.alloc(5);
  head[0] = anyOf(random, [0, 0, 0, 1, 2]);
  head.writeUInt32BE(random.below(10) === 0 ? random.below(200_000) : body.length, 1);
  return Buffer.concat([head, body]);
};

export const HTTP2_TARGETS: readonly Target[] = [
  {
    name: 'http2 hpack',
    seeds: seedsOf(blocks),
    generated: blocks,
    large: many(blocks),
    feed: (bytes) => decodeAll(bytes, () => undefined),
    check: checkHpack,
  },
  {
    name: 'http2 huffman',
    seeds: [huffman('www.example.com'), huffman('\x00\xff grpc-status'), huffman('0123456789')],
    generated: (random) =>
      huffman(Array.from({ length: random.below(60) }, () => String.fromCharCode(random.below(256))).join('')),
    large: (random, size) => Buffer.alloc(size, random.below(256)),
    feed: (bytes) => void huffmanDecode(bytes, 0, bytes.length, scratch),
    check: checkHuffman,
  },
  {
    name: 'http2 frames',
    seeds: seedsOf(serverBytes),
    generated: wrongServerBytes,
    large: many(serverBytes),
    feed: (bytes) => void frames(bytes, [bytes]),
    check: (bytes) => same(frames(bytes, piecesOf(bytes)), frames(bytes, [bytes]), 'frames'),
  },
  {
    name: 'http2 messages',
    seeds: seedsOf(message),
    generated: message,
    large: many(message),
    feed: (bytes) => void readMessages([bytes], () => undefined),
    check: (bytes) => same(messages(piecesOf(bytes)), messages([bytes]), 'messages'),
  },
  {
    name: 'http2 server',
    seeds: seedsOf(clientBytes),
    generated: wrongClientBytes,
    large: many(clientBytes),
    feed: feedServer,
    check: sameServer,
  },
  {
    name: 'http2 client',
    seeds: seedsOf(serverBytes),
    generated: wrongServerBytes,
    large: many(serverBytes),
    feed: feedClient,
    check: sameClient,
  },
];
