import type { Attributes } from '@opentelemetry/api';
import type { RequestContext } from '../core/context.ts';
import { grpcStatusName } from '../core/grpc-status.ts';

/** Names and attributes of a request's server span, by the semantic conventions of OpenTelemetry (1.45) where they have a word. */

/** Methods that span names may hold; the conventions want all others under one name, since callers make them up. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE']);
const OTHER = '_OTHER';
const MAX_TEXT = 200;

/** Few different ones: paths that callers make up stay out of it. */
export function serverSpanName(ctx: RequestContext): string {
  if (ctx.head.face === 'grpc') return rpcMethod(ctx);
  return METHODS.has(ctx.head.method) ? ctx.head.method : 'HTTP';
}

export function serverAttributes(ctx: RequestContext): Attributes {
  const attributes: Attributes = {
    'sluice.request_id': ctx.requestId,
    'sluice.codec': ctx.codec.name,
  };
  if (ctx.head.face === 'grpc') addRpc(attributes, ctx);
  else addHttp(attributes, ctx);
  if (ctx.fault !== null) attributes['error.type'] = ctx.fault.code;
  if (ctx.principal !== null) attributes['sluice.tenant'] = ctx.principal.tenant.id;
  if (ctx.route !== null) {
    const used = ctx.answeredBy ?? ctx.variant;
    attributes['sluice.model'] = ctx.route.model;
    attributes['sluice.cache'] = ctx.cacheResult;
    if (used !== null) attributes['sluice.variant'] = used.name;
  }
  return attributes;
}

function addHttp(attributes: Attributes, ctx: RequestContext): void {
  attributes['http.request.method'] = METHODS.has(ctx.head.method) ? ctx.head.method : OTHER;
  attributes['url.path'] = ctx.head.path.slice(0, MAX_TEXT);
  attributes['http.response.status_code'] = ctx.fault === null ? ctx.reply.status : ctx.fault.http;
}

function addRpc(attributes: Attributes, ctx: RequestContext): void {
  const status = ctx.fault === null ? ctx.reply.grpc : ctx.fault.grpc;
  attributes['rpc.system.name'] = 'grpc';
  attributes['rpc.method'] = rpcMethod(ctx);
  attributes['rpc.status_code'] = grpcStatusName(status);
}

/** `package.Service/Method`; a method that was not found is not named. */
function rpcMethod(ctx: RequestContext): string {
  return ctx.match.fault === null ? ctx.head.path.slice(1, MAX_TEXT) : OTHER;
}
