import { config } from '../../src/config/schema.ts';
import type { Signature } from '../../src/core/signature.ts';
import { InferReader } from '../../src/protocols/rest/infer-reader.ts';
import { PredictReader } from '../../src/protocols/v1/predict-reader.ts';
import { decodeInferRequest } from '../../src/wire/oip/infer-request.ts';
import { type HostileText, hostileInferTexts, hostileValueTexts } from './hostile-json.ts';
import { enclosed, varint } from './protobuf-messages.ts';

/** Bodies each the worst of its kind, and how long each takes to be read: in a thread, or on the event loop where it is small. */

/**
 * No body of the largest size is to take a thread longer on the slow two-core machine that was measured on. The slowest known are FP32
 * values that only a text conversion reads right, and V1 columns.
 */
export const WORST_MS = 80;
/** No body that is read on the event loop is to hold it longer: five times what was measured. */
export const WORST_INLINE_MS = 10;

export interface HostileResult {
  readonly name: string;
  readonly bytes: number;
  readonly expected: 'read' | 'refused';
  readonly end: 'read' | 'refused';
  /** Why it was refused; empty when it was not. */
  readonly detail: string;
  /** Processor time of this thread, which other processes cannot add to; the best of a few tries. */
  readonly ms: number;
}

const TRIES = 3;
const { maxJsonBytes, maxJsonDepth, maxTensors, maxBodyBytes } = config.shape.limits.parse({});
const { inlineBytes } = config.shape.offload.parse({});

const SIGNATURE: Signature = {
  platform: 'test',
  decoupled: false,
  inputs: [
    { name: 'x', datatype: 'FP32', shape: [-1, -1] },
    { name: 'text', datatype: 'BYTES', shape: [-1] },
  ],
  outputs: [],
};
const ASKED = { model: 'm', version: '' };

/** Those of the largest size, which a thread reads. */
export const measureHostileBodies = (): HostileResult[] => measureBodies(maxJsonBytes, maxBodyBytes);

/** Those that are just small enough to be read on the event loop. */
export const measureInlineBodies = (): HostileResult[] => measureBodies(inlineBytes, inlineBytes);

function measureBodies(textBytes: number, bodyBytes: number): HostileResult[] {
  const reader = new InferReader(maxJsonDepth, maxTensors);
  const predictReader = new PredictReader(maxJsonDepth);
  const infer = (body: Buffer): string => (reader.read(body, null, 'm', '') === null ? reader.detail : '');
  const predict = (body: Buffer): string =>
    predictReader.read(body, ASKED, SIGNATURE, 'predict') === null ? predictReader.detail : '';
  const results: HostileResult[] = [];
  const take = (kind: string, texts: readonly HostileText[], decode: (body: Buffer) => string): void => {
    for (const { name, end, text } of texts) results.push(measured(`${kind}: ${name}`, end, Buffer.from(text), decode));
  };
  take('REST', hostileInferTexts(textBytes), infer);
  take('V1', hostileValueTexts(textBytes), predict);
  for (const [name, end, make] of hostileMessages(textBytes, bodyBytes))
    results.push(measured(`gRPC: ${name}`, end, make(), message));
  return results;
}

function message(bytes: Buffer): string {
  const request = decodeInferRequest(bytes, maxTensors, maxJsonBytes);
  return typeof request === 'string' ? request : '';
}

function measured(name: string, expected: 'read' | 'refused', body: Buffer, decode: (body: Buffer) => string): HostileResult {
  // The kernel counts in steps of up to 4 ms, so what is short is done many times.
  const times = Math.max(1, Math.round(maxJsonBytes / body.length));
  let ms = Number.POSITIVE_INFINITY;
  let detail = '';
  for (let i = 0; i < TRIES; i++) {
    const started = process.threadCpuUsage();
    for (let time = 0; time < times; time++) detail = decode(body);
    const { user, system } = process.threadCpuUsage(started);
    ms = Math.min(ms, (user + system) / 1_000 / times);
  }
  return { name, bytes: body.length, expected, end: detail === '' ? 'read' : 'refused', detail, ms };
}

/** A request whose one tensor has `contents`. */
function typed(datatype: string, count: number, contents: Buffer): Buffer {
  const head = [enclosed(1, Buffer.from('x')), enclosed(2, Buffer.from(datatype)), enclosed(3, varint(BigInt(count)))];
  const tensor = Buffer.concat([...head, enclosed(5, contents)]);
  return Buffer.concat([enclosed(1, Buffer.from('m')), enclosed(5, tensor)]);
}

/** `size` bytes of `piece` over and over. */
function flood(size: number, ...piece: number[]): Buffer {
  return Buffer.alloc(Math.floor(size / piece.length) * piece.length, Buffer.from(piece));
}

const HEAD_ROOM = 64;

type Made = readonly [name: string, end: 'read' | 'refused', make: () => Buffer];

/** Messages over gRPC with at most so many bytes of typed contents, or in all. */
export function hostileMessages(typedBytes: number, bodyBytes: number): readonly Made[] {
  const t = typedBytes - HEAD_ROOM;
  const b = bodyBytes - HEAD_ROOM;
  const tooLong: Made = ['typed contents of the largest size', 'refused', () => typed('BYTES', b / 2, flood(b, 0x42, 0))];
  return [
    ...(b > typedBytes ? [tooLong] : []),
    ['strings without a byte', 'read', () => typed('BYTES', t / 2, flood(t, 0x42, 0))],
    ['booleans in a pack', 'read', () => typed('BOOL', t, enclosed(1, flood(t - 8, 1)))],
    ['INT64 in a pack', 'read', () => typed('INT64', t, enclosed(3, flood(t - 8, 1)))],
    ['INT64 one by one', 'read', () => typed('INT64', t / 2, flood(t, 0x18, 1))],
    ['INT64 in packs of one', 'read', () => typed('INT64', Math.floor(t / 3), flood(t, 0x1a, 1, 1))],
    ['FP32 one by one', 'read', () => typed('FP32', Math.floor(t / 5), flood(t, 0x35, 0, 0, 0, 0))],
    ['packs of nothing', 'read', () => typed('INT64', 0, flood(t, 0x1a, 0))],
    ['a pack of floats of the largest size', 'read', () => typed('FP32', b >> 2, enclosed(6, flood(b & ~3, 0)))],
    ['unknown fields', 'refused', () => flood(b, 0x78, 1)],
    ['unknown fields that are empty', 'refused', () => flood(b, 0x7a, 0)],
    ['shapes of nothing', 'refused', () => enclosed(5, flood(b, 0x1a, 0))],
    ['messages in messages', 'refused', () => flood(b, 0x2a)],
  ];
}
