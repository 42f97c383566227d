import type { Backend } from '../../../../src/core/backend.ts';
import { RequestContext } from '../../../../src/core/context.ts';
import type { Exit, Head, Match } from '../../../../src/core/exchange.ts';
import { Fault } from '../../../../src/core/faults.ts';
import type { Signature, TensorSpec } from '../../../../src/core/signature.ts';
import type { Principal } from '../../../../src/core/tenant.ts';
import { type Role, type Route, type Snapshot, type Variant, VariantState } from '../../../../src/core/traffic.ts';
import { Verdict } from '../../../../src/core/verdict.ts';
import { compileContract } from '../../../../src/protocols/contract/compile-contract.ts';
import { RestProtocol } from '../../../../src/protocols/rest/rest-protocol.ts';
import { gateFor } from '../../../support/call-fakes.ts';
import { IN_PLACE } from '../../../support/offloads.ts';

/** A gateway of two models around the protocol: "digits" with a stable and a canary variant, and "cold", which has no signature yet. */

export const SIGNATURE: Signature = {
  platform: 'onnx_onnxv1',
  decoupled: false,
  inputs: [{ name: 'image', datatype: 'FP32', shape: [-1, 4] }],
  outputs: [{ name: 'scores', datatype: 'FP32', shape: [-1, 2] }],
};

const FREE_OUTPUT: TensorSpec = { name: 'scores', datatype: 'FP32', shape: [-1] };

const EXIT: Exit = { send: () => undefined, reset: () => undefined };

export interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly contentLength?: number;
  readonly body?: string | readonly Uint8Array[];
  /** Models that the caller may use. */
  readonly models?: readonly string[];
}

export const MAX_JSON_BYTES = 4_194_304;
export const MAX_BODY_BYTES = 8_388_608;

/** `budgetBytes` is what all requests may hold together; nothing is ever given back. */
export const rest = (ready = true, budgetBytes = 67_108_864): RestProtocol =>
  new RestProtocol({
    maxJsonDepth: 16,
    maxTensors: 3,
    maxJsonBytes: MAX_JSON_BYTES,
    inflate: { maxBodyBytes: MAX_BODY_BYTES, maxInflateRatio: 100, holdBytes: (ctx, bytes) => hold(ctx, bytes, budgetBytes) },
    offload: IN_PLACE,
    serverName: 'sluice',
    serverVersion: '1.2.3',
    isReady: () => ready,
  });

function hold(ctx: RequestContext, bytes: number, budgetBytes: number): Verdict {
  if (bytes > budgetBytes) return ctx.refuse(Fault.Overloaded);
  ctx.heldBytes = Math.max(ctx.heldBytes, bytes);
  return Verdict.Next;
}

export function headOf(asked: Asked): Head {
  return {
    face: 'http',
    method: asked.method ?? 'GET',
    path: asked.path ?? '/v2',
    query: '',
    contentLength: asked.contentLength ?? sizeOf(asked.body ?? ''),
    timeoutMs: 0,
    remoteAddress: '127.0.0.1',
    notes: null,
    header: (name) => asked.fields?.[name] ?? '',
  };
}

const sizeOf = (body: string | readonly Uint8Array[]): number =>
  typeof body === 'string' ? Buffer.byteLength(body) : body.reduce((size, piece) => size + piece.length, 0);

export function contextOf(protocol: RestProtocol, asked: Asked): RequestContext {
  const head = headOf(asked);
  const match: Match = protocol.match(head);
  const ctx = new RequestContext(head, EXIT, match, SNAPSHOT);
  const models = asked.models ?? ['digits', 'cold'];
  ctx.principal = { allows: (model: string) => models.includes(model) } as Principal;
  if (typeof asked.body === 'string') ctx.body = [Buffer.from(asked.body)];
  else if (asked.body !== undefined) ctx.body = asked.body;
  return ctx;
}

export interface Answer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly json: unknown;
}

/** Asks as the gateway does: a fault of the head comes first, then the body is decoded; an answer or a refusal is written. */
export function ask(asked: Asked, protocol: RestProtocol = rest()): Answer {
  const ctx = contextOf(protocol, asked);
  if (ctx.match.fault !== null) ctx.refuse(ctx.match.fault);
  else ctx.codec.decode(ctx);
  if (ctx.fault !== null) ctx.codec.encodeFault(ctx);
  return answerOf(ctx);
}

export function answerOf(ctx: RequestContext): Answer {
  const text = Buffer.concat(ctx.reply.pieces).toString();
  if (ctx.reply.contentType !== 'application/json') throw new Error(`content type is ${ctx.reply.contentType}`);
  return { status: ctx.reply.status, headers: ctx.reply.headers, json: text === '' ? null : JSON.parse(text) };
}

function variant(name: string, role: Role, labels: readonly string[], ready: boolean): Variant {
  const state = new VariantState();
  if (ready) state.readiness = { is: 'ready', signature: SIGNATURE };
  const price = {} as Variant['price'];
  return { name, role, labels, backend: {} as Backend, price, gate: gateFor(1), state };
}

export const DIGITS_V1 = variant('v1', 'stable', ['prod'], true);

function route(model: string, variants: readonly Variant[], contract: Route['contract']): Route {
  return { model, contract, plan: { variants } as unknown as Route['plan'] } as Route;
}

/** Models by what they take, for raw bodies; `halves` gives what JSON cannot say. */
const OTHERS: readonly [string, Signature][] = [
  [
    'line',
    { platform: 'p', decoupled: false, inputs: [{ name: 'x', datatype: 'INT16', shape: [-1, 2, -1] }], outputs: [FREE_OUTPUT] },
  ],
  [
    'plane',
    { platform: 'p', decoupled: false, inputs: [{ name: 'x', datatype: 'INT16', shape: [-1, -1, -1] }], outputs: [FREE_OUTPUT] },
  ],
  [
    'text',
    { platform: 'p', decoupled: false, inputs: [{ name: 'x', datatype: 'BYTES', shape: [-1, 1] }], outputs: [FREE_OUTPUT] },
  ],
  [
    'texts',
    { platform: 'p', decoupled: false, inputs: [{ name: 'x', datatype: 'BYTES', shape: [-1, 2] }], outputs: [FREE_OUTPUT] },
  ],
  ['fixed', { platform: 'p', decoupled: false, inputs: [{ name: 'x', datatype: 'FP64', shape: [2] }], outputs: [FREE_OUTPUT] }],
  [
    'pair',
    {
      platform: 'p',
      decoupled: false,
      inputs: [
        { name: 'x', datatype: 'UINT8', shape: [1] },
        { name: 'y', datatype: 'UINT8', shape: [1] },
      ],
      outputs: [FREE_OUTPUT],
    },
  ],
  [
    'halves',
    {
      platform: 'p',
      decoupled: false,
      inputs: [{ name: 'x', datatype: 'UINT8', shape: [-1] }],
      outputs: [FREE_OUTPUT, { name: 'half', datatype: 'FP16', shape: [-1] }, { name: 'brain', datatype: 'BF16', shape: [-1] }],
    },
  ],
];

const ROUTES: readonly Route[] = [
  ...OTHERS.map(([model, signature]) => route(model, [DIGITS_V1], compileContract(signature, {}, 64))),
  route('cold', [variant('v1', 'stable', [], false)], null),
  route('digits', [DIGITS_V1, variant('v2', 'canary', ['next'], false)], compileContract(SIGNATURE, {}, 64)),
];

const SNAPSHOT: Snapshot = {
  revision: 1,
  routes: ROUTES,
  route: (model) => ROUTES.find((candidate) => candidate.model === model) ?? null,
  identify: () => null,
};
