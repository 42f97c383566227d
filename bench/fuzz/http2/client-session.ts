import type { SeededRandom } from '../../../scripts/models/seeded-random.ts';
import { PREFACE } from '../../../src/wire/http2/frames/frame-format.ts';
import { frame } from '../../../test/support/frame-log.ts';
import { say } from '../../../test/support/scripted-h2-server.ts';
import { asideFrame } from './aside-frame.ts';
import { anyOf, cutUp, FieldBlocks, oneIn, paddedFrame } from './field-blocks.ts';

/** What a client of gRPC may say on one connection: everything that RFC 9113 allows and nothing that it forbids. */

export interface Paths {
  readonly unary: string;
  readonly stream: string;
  readonly refuse: string;
  readonly never: string;
}

const MOST_STREAMS = 6;
const LAST = 0x1;
/** Rows of field values: short, with every kind of octet that a value may have, and long enough for a length of two octets. */
const VALUES = ['', '1', 'a b', 'true', 'x'.repeat(140), '!#$%&*+-.^_`|~', '\x80\xff', 'gzip, br', '0123456789', 'te\tst'];
const NAMES = [
  'x-a',
  'x-b',
  'accept',
  'user-agent',
  'x-long-name-that-a-table-keeps',
  'cookie',
  'authorization',
  'grpc-trace-bin',
];
const FATES = [
  'call',
  'call',
  'call',
  'call',
  'reset',
  'second',
  'none',
  'half',
  'plain',
  'get',
  'trailers',
  'stated',
  'open',
] as const;
type Fate = (typeof FATES)[number];

/** The frames of a whole session, the preface first. */
export function clientSession(random: SeededRandom, paths: Paths): Buffer[] {
  const writer = new ClientWriter(random, paths);
  const waiting = Array.from({ length: 1 + random.below(MOST_STREAMS) }, (_, i) => writer.stream(i * 2 + 1));
  const frames = [PREFACE, writer.settings(), frame(4, 1, 0, Buffer.alloc(0))];
  const begun: (() => Buffer[])[][] = [];
  while (waiting.length + begun.length > 0) {
    // Streams begin in the order of their numbers (RFC 9113, 5.1.1); after that each goes on by itself.
    const begins = waiting.length > 0 && (begun.length === 0 || oneIn(random, 3));
    if (begins) begun.push(waiting.shift()!);
    const at = begins ? begun.length - 1 : random.below(begun.length);
    frames.push(...begun[at]!.shift()!());
    if (begun[at]!.length === 0) begun.splice(at, 1);
    if (oneIn(random, 4)) frames.push(writer.aside());
  }
  if (oneIn(random, 10)) frames.push(say.goAway(0, 0));
  return frames;
}

class ClientWriter {
  readonly #random: SeededRandom;
  readonly #paths: Paths;
  readonly #blocks: FieldBlocks;
  /** Those that have begun: a window may be opened for them. */
  #lastId = 0;

  constructor(random: SeededRandom, paths: Paths) {
    this.#random = random;
    this.#paths = paths;
    this.#blocks = new FieldBlocks(random);
  }

  /** What is said on one stream, in steps; each is made when its turn comes, since blocks depend on those before. */
  stream(streamId: number): (() => Buffer[])[] {
    const random = this.#random;
    const fate = anyOf(random, FATES);
    const path = this.#path();
    const body = this.#body(fate);
    const bare = fate === 'get' || (fate !== 'trailers' && body.length === 0 && oneIn(random, 2));
    const stated = fate === 'stated' ? ['content-length', String(body.length)] : [];
    const steps = [
      () => {
        this.#lastId = streamId;
        return this.#blocks.frames(streamId, this.#head(streamId, fate, path, stated), bare);
      },
    ];
    if (bare) return steps;
    steps.push(...this.#data(streamId, body, fate).map((one) => () => [one]));
    if (fate === 'trailers') steps.push(() => this.#blocks.frames(streamId, ['x-checksum', anyOf(random, ['1', 'abc'])], true));
    if (fate === 'reset') steps.push(() => [say.reset(streamId, random.below(14))]);
    if (path === this.#paths.never && oneIn(random, 2)) steps.push(() => [say.reset(streamId, 8)]);
    return steps;
  }

  settings(): Buffer {
    const random = this.#random;
    const entries: number[] = [];
    if (oneIn(random, 3)) entries.push(4, anyOf(random, [0, 1, 4, 7, 100, 1_000, 65_535, 100_000, 10_000_000]));
    if (oneIn(random, 4)) entries.push(1, anyOf(random, [0, 64, 4_096, 65_536]));
    if (oneIn(random, 6)) entries.push(3, random.below(200));
    if (oneIn(random, 6)) entries.push(5, anyOf(random, [16_384, 20_000, 0xff_ffff]));
    if (oneIn(random, 8)) entries.push(2, random.below(2));
    if (oneIn(random, 8)) entries.push(0xf000 + random.below(100), random.below(1_000));
    return say.settings(...entries);
  }

  /** A frame that may stand anywhere between two others. */
  aside(): Buffer {
    const random = this.#random;
    const begunId = 1 + 2 * random.below((this.#lastId + 1) / 2);
    return asideFrame(random.below(8), begunId, random, () => this.settings());
  }

  #path(): string {
    const { unary, stream, refuse, never } = this.#paths;
    return anyOf(this.#random, [unary, unary, unary, stream, stream, refuse, never, '/no.Such/Method']);
  }

  #head(streamId: number, fate: Fate, path: string, stated: readonly string[]): string[] {
    const random = this.#random;
    const pseudo = [
      [':method', fate === 'get' ? anyOf(random, ['GET', 'HEAD', 'PUT']) : 'POST'],
      [':scheme', anyOf(random, ['http', 'https'])],
      [':path', path],
      [':authority', 'test'],
    ];
    const plain = [['x-mark', String(streamId)], ...(stated.length > 0 ? [stated] : [])];
    if (fate !== 'get') plain.push(['content-type', fate === 'plain' ? 'text/html' : anyOf(random, TYPES)]);
    if (oneIn(random, 2)) plain.push(['te', 'trailers']);
    if (oneIn(random, 3)) plain.push(['grpc-timeout', anyOf(random, ['1H', '20S', '99999999m', '3000000u'])]);
    for (let more = random.below(5); more > 0; more--) plain.push([anyOf(random, NAMES), anyOf(random, VALUES)]);
    return [...random.shuffle(pseudo), ...random.shuffle(plain)].flat() as string[];
  }

  #body(fate: Fate): Buffer {
    const random = this.#random;
    if (fate === 'none') return Buffer.alloc(0);
    const whole = Buffer.concat(Array.from({ length: this.#messages(fate) }, () => this.#message()));
    return fate === 'half' ? whole.subarray(0, random.below(whole.length)) : whole;
  }

  #messages(fate: Fate): number {
    if (fate === 'second') return 2;
    return oneIn(this.#random, 4) ? 1 + this.#random.below(4) : 1;
  }

  #message(): Buffer {
    const random = this.#random;
    const bytes = Buffer.alloc(oneIn(random, 12) ? random.below(3_000) : random.below(60), random.below(256));
    const head = Buffer.alloc(5);
    head[0] = oneIn(random, 30) ? random.below(4) : 0;
    head.writeUInt32BE(bytes.length, 1);
    return Buffer.concat([head, bytes]);
  }

  #data(streamId: number, body: Buffer, fate: Fate): Buffer[] {
    const random = this.#random;
    const ends = fate !== 'trailers' && fate !== 'open' && fate !== 'reset';
    const parts = cutUp(random, body, oneIn(random, 2) ? 1 : 1 + random.below(5));
    // The end may come by itself, in a frame without bytes.
    if (ends && oneIn(random, 5)) parts.push(Buffer.alloc(0));
    return parts.map((part, i) => paddedFrame(random, 0, ends && i === parts.length - 1 ? LAST : 0, streamId, part));
  }
}

const TYPES = ['application/grpc', 'application/grpc', 'application/grpc+proto', 'application/grpc;x=y'];
