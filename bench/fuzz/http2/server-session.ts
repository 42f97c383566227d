import type { SeededRandom } from '../../../scripts/models/seeded-random.ts';
import { frame } from '../../../test/support/frame-log.ts';
import { say } from '../../../test/support/scripted-h2-server.ts';
import { asideFrame } from './aside-frame.ts';
import { anyOf, cutUp, FieldBlocks, oneIn, paddedFrame } from './field-blocks.ts';

/** What a server of gRPC, or a proxy before one, may say to the calls of one connection: the odd numbers from 1. */

const FATES = [
  'whole',
  'whole',
  'whole',
  'whole',
  'status',
  'refused',
  'http',
  'reset',
  'page',
  'cut',
  'second',
  'silent',
  'bare',
] as const;
type Fate = (typeof FATES)[number];
const LAST = 0x1;
const HEAD = [':status', '200', 'content-type', 'application/grpc'];
const VALUES = ['', '1', 'a b', 'x'.repeat(140), '!#$%&*+-.^_`|~', 'gzip, br', '0123456789'];
const NAMES = ['x-a', 'x-b', 'server', 'date', 'x-long-name-that-a-table-keeps', 'set-cookie', 'grpc-trace-bin', 'vary'];

/** The SETTINGS that come first are in front; `calls` is how many calls there are. */
export function serverSession(random: SeededRandom, calls: number): Buffer[] {
  const writer = new ServerWriter(random);
  const waiting = Array.from({ length: calls }, (_, i) => writer.stream(i * 2 + 1)).filter((steps) => steps.length > 0);
  const frames = [writer.settings(), frame(4, 1, 0, Buffer.alloc(0))];
  while (waiting.length > 0) {
    const at = random.below(waiting.length);
    frames.push(...waiting[at]!.shift()!());
    if (waiting[at]!.length === 0) waiting.splice(at, 1);
    if (oneIn(random, 4)) frames.push(writer.aside(calls));
  }
  return frames;
}

class ServerWriter {
  readonly #random: SeededRandom;
  readonly #blocks: FieldBlocks;

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#blocks = new FieldBlocks(random);
  }

  /** What is said on one stream, in steps; each is made when its turn comes, since blocks depend on those before. */
  stream(streamId: number): (() => Buffer[])[] {
    const random = this.#random;
    const fate: Fate = anyOf(random, FATES);
    if (fate === 'silent') return [];
    const block = (fields: readonly string[], last: boolean) => () =>
      this.#blocks.frames(streamId, [...fields, ...this.#more()], last);
    const steps: (() => Buffer[])[] = [];
    for (let hints = oneIn(random, 6) ? 1 + random.below(2) : 0; hints > 0; hints--) steps.push(block([':status', '103'], false));
    if (fate === 'refused') return [...steps, block([...HEAD, 'grpc-status', this.#status(), 'grpc-message', 'n%C3%A9'], true)];
    if (fate === 'bare') return [...steps, block(HEAD, true)];
    if (fate === 'http') {
      const last = oneIn(random, 2);
      steps.push(block([':status', anyOf(random, ['400', '401', '403', '404', '429', '500', '502', '503', '504', '204'])], last));
      if (!last) steps.push(() => [frame(0, LAST, streamId, Buffer.from('an error page'))]);
      return steps;
    }
    if (fate === 'reset' && oneIn(random, 3)) return [...steps, () => [say.reset(streamId, random.below(14))]];
    steps.push(block(fate === 'page' ? [':status', '200', 'content-type', 'text/html'] : HEAD, false));
    steps.push(...this.#data(streamId, this.#body(fate)).map((one) => () => [one]));
    if (fate === 'reset') steps.push(() => [say.reset(streamId, random.below(14))]);
    else if (fate === 'cut') steps.push(() => [frame(0, LAST, streamId, Buffer.alloc(0))]);
    else steps.push(block(['grpc-status', fate === 'status' ? this.#status() : '0'], true));
    return steps;
  }

  settings(): Buffer {
    const random = this.#random;
    const entries: number[] = [];
    if (oneIn(random, 3)) entries.push(4, anyOf(random, [0, 1, 4, 7, 100, 1_000, 65_535, 10_000_000]));
    if (oneIn(random, 4)) entries.push(1, anyOf(random, [0, 64, 4_096, 65_536]));
    if (oneIn(random, 6)) entries.push(3, 100 + random.below(200));
    if (oneIn(random, 6)) entries.push(5, anyOf(random, [16_384, 20_000, 0xff_ffff]));
    if (oneIn(random, 8)) entries.push(2, 0);
    if (oneIn(random, 8)) entries.push(6, 16_384);
    if (oneIn(random, 8)) entries.push(0xf000 + random.below(100), random.below(1_000));
    return say.settings(...entries);
  }

  /** A frame that may stand anywhere between two others. */
  aside(calls: number): Buffer {
    const random = this.#random;
    const streamId = 1 + 2 * random.below(calls);
    return asideFrame(random.below(7), streamId, random, () => this.settings());
  }

  #status(): string {
    return String(1 + this.#random.below(16));
  }

  #more(): string[] {
    const random = this.#random;
    return Array.from({ length: random.below(3) }, () => [anyOf(random, NAMES), anyOf(random, VALUES)]).flat();
  }

  #body(fate: Fate): Buffer {
    const random = this.#random;
    const count = fate === 'second' ? 2 + random.below(3) : random.below(8) === 0 ? 0 : 1;
    const whole = Buffer.concat(Array.from({ length: count }, () => this.#message()));
    return oneIn(random, 20) ? whole.subarray(0, random.below(whole.length + 1)) : whole;
  }

  #message(): Buffer {
    const random = this.#random;
    const bytes = Buffer.alloc(oneIn(random, 12) ? random.below(3_000) : random.below(60), random.below(256));
    const head = Buffer.alloc(5);
    head[0] = oneIn(random, 30) ? random.below(4) : 0;
    head.writeUInt32BE(bytes.length, 1);
    return Buffer.concat([head, bytes]);
  }

  #data(streamId: number, body: Buffer): Buffer[] {
    const random = this.#random;
    const parts = cutUp(random, body, oneIn(random, 2) ? 1 : 1 + random.below(5));
    return parts.map((part) => paddedFrame(random, 0, 0, streamId, part));
  }
}
