import type { Backend } from '../../../src/core/backend.ts';
import { RequestContext } from '../../../src/core/context.ts';
import type { Exit, Head } from '../../../src/core/exchange.ts';
import type { InferenceRequest, Tensor } from '../../../src/core/inference.ts';
import type { Offload } from '../../../src/core/offload.ts';
import type { Signature } from '../../../src/core/signature.ts';
import type { Principal } from '../../../src/core/tenant.ts';
import { type Readiness, type Role, type Route, type Snapshot, type Variant, VariantState } from '../../../src/core/traffic.ts';
import { Phase, Verdict } from '../../../src/core/verdict.ts';
import { compileContract } from '../../../src/protocols/contract/compile-contract.ts';
import { HttpProtocol } from '../../../src/protocols/http-protocol.ts';
import { gateFor } from '../../support/call-fakes.ts';
import { IN_PLACE } from '../../support/offloads.ts';

/** A gateway of a few models around the protocols of the HTTP port. */

export const DIGITS: Signature = {
  platform: 'onnxruntime_onnx',
  decoupled: false,
  inputs: [{ name: 'image', datatype: 'FP32', shape: [-1, 4] }],
  outputs: [{ name: 'scores', datatype: 'FP32', shape: [-1, 2] }],
};

/** Several named inputs, text among them. */
export const PEOPLE: Signature = {
  platform: 'any',
  decoupled: false,
  inputs: [
    { name: 'name', datatype: 'BYTES', shape: [-1] },
    { name: 'ids', datatype: 'INT64', shape: [-1, 2] },
  ],
  outputs: [
    { name: 'greeting', datatype: 'BYTES', shape: [-1] },
    { name: 'raw_bytes', datatype: 'BYTES', shape: [-1] },
    { name: 'sums', datatype: 'UINT64', shape: [-1, 2] },
  ],
};

/** A scalar beside a vector: no rows. */
const SCALAR: Signature = {
  platform: 'any',
  decoupled: false,
  inputs: [
    { name: 'rate', datatype: 'INT64', shape: [] },
    { name: 'wave', datatype: 'FP64', shape: [3] },
  ],
  outputs: [{ name: 'sum', datatype: 'FP64', shape: [] }],
};

const HALF: Signature = {
  platform: 'any',
  decoupled: false,
  inputs: [{ name: 'x', datatype: 'FP16', shape: [-1] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
};

const HALF_OUT: Signature = {
  platform: 'any',
  decoupled: false,
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1] }],
  outputs: [{ name: 'y', datatype: 'BF16', shape: [-1] }],
};

const TEXT: Signature = {
  platform: 'any',
  decoupled: false,
  inputs: [{ name: 'text_input', datatype: 'BYTES', shape: [-1, 1] }],
  outputs: [{ name: 'text_output', datatype: 'BYTES', shape: [-1, 1] }],
};

const READY: Readiness = { is: 'ready', signature: DIGITS };

export function variant(name: string, role: Role, labels: readonly string[], readiness: Readiness = READY): Variant {
  const state = new VariantState();
  state.readiness = readiness;
  return { name, role, labels, backend: {} as Backend, price: {} as Variant['price'], gate: gateFor(1), state };
}

export function route(model: string, variants: readonly Variant[], signature: Signature | null): Route {
  const contract = signature === null ? null : compileContract(signature, {}, 64);
  return { model, contract, plan: { variants, shadows: [] } as unknown as Route['plan'] } as Route;
}

export const DIGITS_V1 = variant('v1', 'stable', ['prod']);
const DIGITS_V2 = variant('v2', 'canary', ['next'], { is: 'mismatched', reason: 'secret path' });
const COLD = variant('v1', 'stable', [], { is: 'warming', reason: 'secret address' });
const ASIDE = variant('v3', 'canary', [], { is: 'unloaded', reason: 'by an operator' });

const ROUTES: readonly Route[] = [
  route('cold', [COLD], null),
  route('digits', [DIGITS_V1, DIGITS_V2], DIGITS),
  route('half', [variant('v1', 'stable', [])], HALF),
  route('halfout', [variant('v1', 'stable', [])], HALF_OUT),
  route('people', [variant('v1', 'stable', []), variant('v2', 'canary', []), ASIDE], PEOPLE),
  route('scalar', [variant('v1', 'stable', [])], SCALAR),
  route('text', [variant('v1', 'stable', [])], TEXT),
];
const ALL = ROUTES.map((one) => one.model);

function snapshotOf(routes: readonly Route[]): Snapshot {
  const find = (model: string): Route | null => routes.find((candidate) => candidate.model === model) ?? null;
  return { revision: 1, routes, route: find, identify: () => null };
}

const SNAPSHOT = snapshotOf(ROUTES);

export const MAX_JSON_BYTES = 1_048_576;

const protocolWith = (offload: Offload): HttpProtocol =>
  new HttpProtocol({
    maxJsonDepth: 16,
    maxTensors: 8,
    maxJsonBytes: MAX_JSON_BYTES,
    inflate: { maxBodyBytes: 4_194_304, maxInflateRatio: 100, holdBytes: () => Verdict.Next },
    offload,
    serverName: 'sluice',
    serverVersion: '1.2.3',
    isReady: () => true,
  });
const protocol = protocolWith(IN_PLACE);

export interface Asked {
  readonly method?: string;
  readonly path: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly contentLength?: number;
  /** Models that the caller may use; all when left out. */
  readonly models?: readonly string[];
  /** Of one more model, called "made". */
  readonly signature?: Signature;
  /** Who does what is long; nothing is when left out. */
  readonly offload?: Offload;
}

const EXIT: Exit = { send: () => undefined, reset: () => undefined };

export function headOf(asked: Asked): Head {
  const body = asked.body ?? '';
  return {
    face: 'http',
    method: asked.method ?? (body === '' ? 'GET' : 'POST'),
    path: asked.path,
    query: '',
    contentLength: asked.contentLength ?? Buffer.byteLength(body),
    timeoutMs: 0,
    remoteAddress: '127.0.0.1',
    notes: null,
    header: (name) => asked.fields?.[name] ?? '',
  };
}

/** Asks as the gateway does, as far as the body's end: a fault of the head comes first, then the body is decoded. */
export async function decoded(asked: Asked): Promise<RequestContext> {
  const head = headOf(asked);
  const made = asked.signature === undefined ? null : route('made', [variant('v1', 'stable', [])], asked.signature);
  const snapshot = made === null ? SNAPSHOT : snapshotOf([made]);
  const match = (asked.offload === undefined ? protocol : protocolWith(asked.offload)).match(head);
  const ctx = new RequestContext(head, EXIT, match, snapshot);
  const models = asked.models ?? [...ALL, 'made'];
  ctx.principal = { allows: (model: string) => models.includes(model) } as Principal;
  ctx.phase = Phase.Decode;
  if (asked.body !== undefined) ctx.body = [Buffer.from(asked.body)];
  if (ctx.match.fault !== null) ctx.refuse(ctx.match.fault);
  else await ctx.codec.decode(ctx);
  return ctx;
}

export interface Answer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly type: string;
  readonly text: string;
  readonly json: unknown;
}

/** The answer to what needs no backend. */
export async function ask(asked: Asked): Promise<Answer> {
  const ctx = await decoded(asked);
  if (ctx.fault !== null) ctx.codec.encodeFault(ctx);
  return answerOf(ctx);
}

/** The request that a body becomes, or the code and text of its refusal. */
export async function requestOf(asked: Asked): Promise<InferenceRequest | string> {
  const ctx = await decoded(asked);
  return ctx.fault === null ? ctx.request! : `${ctx.fault.code}: ${ctx.faultDetail}`;
}

/** The answer when a backend gives `outputs`. */
export async function answered(asked: Asked, outputs: Tensor[]): Promise<Answer> {
  const ctx = await decoded(asked);
  if (ctx.fault !== null) throw new Error(`${ctx.fault.code}: ${ctx.faultDetail}`);
  ctx.prediction = { outputs, computeUs: 1 };
  ctx.answeredBy = DIGITS_V1;
  await ctx.codec.encode(ctx);
  return answerOf(ctx);
}

function answerOf(ctx: RequestContext): Answer {
  const text = Buffer.concat(ctx.reply.pieces).toString();
  const type = ctx.reply.contentType;
  return {
    status: ctx.reply.status,
    headers: ctx.reply.headers,
    type,
    text,
    json: type === 'application/json' ? jsonOf(text) : null,
  };
}

/** Null for an answer that is packed, or holds the bare word NaN. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
