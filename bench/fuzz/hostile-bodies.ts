import { config } from '../../src/config/schema.ts';
import type { Signature } from '../../src/core/signature.ts';
import { InferReader } from '../../src/protocols/rest/infer-reader.ts';
import { PredictReader } from '../../src/protocols/v1/predict-reader.ts';
import { decodeInferRequest } from '../../src/wire/oip/infer-request.ts';
import { type HostileText, hostileInferTexts, hostileValueTexts } from './hostile-json.ts';
import { enclosed, varint } from './protobuf-messages.ts';

/** Bodies as large as the defaults let them be, each the worst of its kind, and how long each holds the event loop. */

/**
 * No body is to take longer on the slow two-core machine that was measured on. The slowest known are FP32 values that only a text
 * conversion reads right, and V1 columns.
 */
export const WORST_MS = 80;

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

/** Measures all of them. */
export function measureHostileBodies(): HostileResult[] {
  const reader = new InferReader(maxJsonDepth, maxTensors);
  const predictReader = new PredictReader(maxJsonDepth);
  const infer = (body: Buffer): string => (reader.read(body, null, 'm', '') === null ? reader.detail : '');
  const predict = (body: Buffer): string =>
    predictReader.read(body, ASKED, SIGNATURE, 'predict') === null ? predictReader.detail : '';
  const results: HostileResult[] = [];
  const take = (kind: string, texts: readonly HostileText[], decode: (body: Buffer) => string): void => {
    for (const { name, end, text } of texts) results.push(measured(`${kind}: ${name}`, end, Buffer.from(text), decode));
  };
  take('REST', hostileInferTexts(maxJsonBytes), infer);
  take('V1', hostileValueTexts(maxJsonBytes), predict);
  for (const [name, end, make] of HOSTILE_MESSAGES) results.push(measured(`gRPC: ${name}`, end, make(), message));
  return results;
}

function message(bytes: Buffer): string {
  const request = decodeInferRequest(bytes, maxTensors, maxJsonBytes);
  return typeof request === 'string' ? request : '';
}

function measured(name: string, expected: 'read' | 'refused', body: Buffer, decode: (body: Buffer) => string): HostileResult {
  let ms = Number.POSITIVE_INFINITY;
  let detail = '';
  for (let i = 0; i < TRIES; i++) {
    const started = process.threadCpuUsage();
    detail = decode(body);
    const { user, system } = process.threadCpuUsage(started);
    ms = Math.min(ms, (user + system) / 1_000);
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
/** The most that is read element by element. */
const T = maxJsonBytes - HEAD_ROOM;
const B = maxBodyBytes - HEAD_ROOM;

/** Messages over gRPC. */
export const HOSTILE_MESSAGES: readonly (readonly [name: string, end: 'read' | 'refused', make: () => Buffer])[] = [
  ['strings without a byte', 'read', () => typed('BYTES', T / 2, flood(T, 0x42, 0))],
  ['booleans in a pack', 'read', () => typed('BOOL', T, enclosed(1, flood(T - 8, 1)))],
  ['INT64 in a pack', 'read', () => typed('INT64', T, enclosed(3, flood(T - 8, 1)))],
  ['INT64 one by one', 'read', () => typed('INT64', T / 2, flood(T, 0x18, 1))],
  ['INT64 in packs of one', 'read', () => typed('INT64', Math.floor(T / 3), flood(T, 0x1a, 1, 1))],
  ['FP32 one by one', 'read', () => typed('FP32', Math.floor(T / 5), flood(T, 0x35, 0, 0, 0, 0))],
  ['packs of nothing', 'read', () => typed('INT64', 0, flood(T, 0x1a, 0))],
  ['a pack of floats of the largest size', 'read', () => typed('FP32', B >> 2, enclosed(6, flood(B & ~3, 0)))],
  ['typed contents of the largest size', 'refused', () => typed('BYTES', B / 2, flood(B, 0x42, 0))],
  ['unknown fields', 'refused', () => flood(B, 0x78, 1)],
  ['unknown fields that are empty', 'refused', () => flood(B, 0x7a, 0)],
  ['shapes of nothing', 'refused', () => enclosed(5, flood(B, 0x1a, 0))],
  ['messages in messages', 'refused', () => flood(B, 0x2a)],
];
