import { deflateSync } from 'node:zlib';
import { hostileMessages as madeMessages } from '../../bench/fuzz/hostile-bodies.ts';
import { hostileInferTexts, hostileValueTexts } from '../../bench/fuzz/hostile-json.ts';
import type { Datatype } from '../../src/core/datatype.ts';
import type { TensorSpec } from '../../src/core/signature.ts';
import type { OipModel } from './oip-server.ts';

/** The bodies that would hold an event loop the longest, as large as the defaults let them be, and models that take them as far as they go. */

const MIB = 1_048_576;
const MAX_BODY_BYTES = 64 * MIB;
const MAX_JSON_BYTES = 2 * MIB;
/** Room for a JSON head in front of tensors. */
const HEAD_ROOM = 1_024;

export interface HostilePost {
  readonly name: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface HostileMessage {
  readonly name: string;
  readonly body: Buffer;
}

const echo = (name: string, datatype: Datatype, shape: readonly number[]) => ({
  name,
  inputs: [{ name: 'x', datatype, shape }],
  outputs: [{ name: 'y', datatype, shape }],
});

/** What the server behind the gateway serves. */
export const HOSTILE_MODELS: readonly OipModel[] = [
  { name: 'm', inputs: [spec('x', 'FP32', [-1, -1]), spec('text', 'BYTES', [-1])], outputs: [spec('y', 'FP32', [-1, -1])] },
  echo('floats', 'FP32', [-1]),
  echo('halves', 'BF16', [-1]),
  echo('flags', 'BOOL', [-1]),
  echo('strings', 'BYTES', [-1]),
  echo('guarded', 'BYTES', [-1]),
];

function spec(name: string, datatype: Datatype, shape: readonly number[]): TensorSpec {
  return { name, datatype, shape };
}

const GUARDS = {
  input: [
    { kind: 'pii', name: 'no-pii', action: 'redact' },
    { kind: 'denyList', name: 'no-injection', phrases: ['ignore previous instructions'] },
  ],
};

/** The same models as config, each with the rules that take longest. */
export function hostileModelConfigs(variants: readonly object[]): Record<string, object> {
  const any = { maxRows: 1_000_000_000, timeoutMs: 30_000, variants };
  return {
    m: any,
    floats: any,
    halves: { ...any, inputs: { x: { min: 0, max: 1 } } },
    flags: { ...any, inputs: { x: { allowedValues: [0, 1] } } },
    strings: { ...any, inputs: { x: { utf8: true, allowedValues: ['', 'é'] } } },
    guarded: { ...any, inputs: { x: { maxStringBytes: MAX_BODY_BYTES } }, guards: GUARDS },
  };
}

export function hostilePosts(): HostilePost[] {
  const json = { 'content-type': 'application/json' };
  const posts: HostilePost[] = [];
  for (const { name, text } of hostileInferTexts(MAX_JSON_BYTES)) {
    posts.push({ name: `REST: ${name}`, path: '/v2/models/m/infer', headers: json, body: Buffer.from(text) });
  }
  for (const { name, text } of hostileValueTexts(MAX_JSON_BYTES)) {
    posts.push({ name: `V1: ${name}`, path: '/v1/models/m:predict', headers: json, body: Buffer.from(text) });
  }
  const addresses = `{"text_input":"","x":"${'a@b.co '.repeat(MAX_JSON_BYTES / 8)}"}`.replace('"text_input":"",', '');
  posts.push({ name: 'generate: addresses', path: '/v2/models/guarded/generate', headers: json, body: Buffer.from(addresses) });
  const bomb = deflateSync(Buffer.alloc(MAX_BODY_BYTES));
  posts.push({
    name: 'deflate bomb',
    path: '/v2/models/m/infer',
    headers: { ...json, 'content-encoding': 'deflate' },
    body: bomb,
  });
  const size = MAX_BODY_BYTES - HEAD_ROOM;
  posts.push(
    // Each breaks its rule in the very last value.
    raw('strings of nothing', 'strings', 'BYTES', size / 4, spoiled(Buffer.alloc(size), 1, 5)),
    raw('halves between bounds', 'halves', 'BF16', size / 2, spoiled(Buffer.alloc(size), 0x7f, 1)),
    raw('booleans', 'flags', 'BOOL', size, spoiled(Buffer.alloc(size, 1), 2, 1)),
    raw('a million texts under guard', 'guarded', 'BYTES', MIB, Buffer.alloc(4 * MIB)),
    raw('a long answer in JSON', 'floats', 'FP32', MIB / 4, random(MIB), false),
  );
  return posts;
}

export function hostileMessages(): HostileMessage[] {
  return madeMessages(MAX_JSON_BYTES, MAX_BODY_BYTES).map(([name, , make]) => ({ name: `gRPC: ${name}`, body: make() }));
}

function raw(name: string, model: string, datatype: string, count: number, data: Buffer, binary = true): HostilePost {
  const tensor = `{"name":"x","datatype":"${datatype}","shape":[${count}],"parameters":{"binary_data_size":${data.length}}}`;
  const head = Buffer.from(`{"parameters":{"binary_data_output":${binary}},"inputs":[${tensor}]}`);
  return {
    name: `raw: ${name}`,
    path: `/v2/models/${model}/infer`,
    headers: { 'content-type': 'application/octet-stream', 'inference-header-content-length': String(head.length) },
    body: Buffer.concat([head, data]),
  };
}

function spoiled(data: Buffer, byte: number, fromEnd: number): Buffer {
  data[data.length - fromEnd] = byte;
  return data;
}

/** FP32 of every size, none of them NaN. */
function random(size: number): Buffer {
  const floats = new Float32Array(size / 4);
  let state = 1;
  for (let i = 0; i < floats.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    floats[i] = state * 1e-17;
  }
  return Buffer.from(floats.buffer);
}
