import type { RequestContext } from '../../core/context.ts';
import { Fault, type FaultKind, publicMessage } from '../../core/faults.ts';
import { jsonString } from '../../wire/json/byte-writer.ts';

/** Answers in JSON, and the one shape that refusals have: `{"error": "<what is wrong>", "code": "<row of the catalogue>"}`. */

const JSON_TYPE = 'application/json';

/** Bodies of refusals that have nothing to add to their row: made once. */
const PLAIN_FAULTS: ReadonlyMap<FaultKind, readonly Uint8Array[]> = new Map(
  Object.values(Fault).map((kind) => [kind, [faultBody(kind, kind.message)]]),
);

export function fillReply(ctx: RequestContext, status: number, pieces: readonly Uint8Array[]): void {
  ctx.reply.status = status;
  ctx.reply.contentType = JSON_TYPE;
  ctx.reply.pieces = pieces;
}

/** Writes `ctx.fault` into the reply. `hint` says what to do where the refusal itself has no detail. */
export function fillFault(ctx: RequestContext, hint: string): void {
  const kind = ctx.fault ?? Fault.Bug;
  // RFC 9110, 15.5.2: a 401 names the scheme that would be taken.
  if (kind.http === 401) ctx.reply.headers.push('www-authenticate', 'Bearer');
  const message = publicMessage(kind, ctx.faultDetail === '' ? hint : ctx.faultDetail);
  const pieces = message === kind.message ? PLAIN_FAULTS.get(kind) : undefined;
  fillReply(ctx, kind.http, pieces ?? [faultBody(kind, message)]);
}

/** JSON text of a value, as bytes. For what is made at start-up or asked for rarely. */
export const jsonBytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

/** The body of every refusal in JSON. */
export function faultBody(kind: FaultKind, message: string): Uint8Array {
  return Buffer.from(`{"error":${jsonString(message)},"code":"${kind.code}"}`);
}
