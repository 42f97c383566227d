import { RequestContext } from '../../src/core/context.ts';
import type { Codec, Exit, Head, Match, PartCodec, PartExit, Reply } from '../../src/core/exchange.ts';
import type { FaultKind } from '../../src/core/faults.ts';
import type { Route, Snapshot } from '../../src/core/traffic.ts';
import { Verdict } from '../../src/core/verdict.ts';

/** Stand-ins for what a listener and a protocol give to the gateway. */

export class FakeExit implements PartExit {
  readonly sent: Reply[] = [];
  readonly parts: { headers: string[]; pieces: readonly Uint8Array[]; taken: () => void }[] = [];
  readonly ends: { headers: string[]; pieces: readonly Uint8Array[] }[] = [];
  resets = 0;

  send(reply: Reply): void {
    this.sent.push(reply);
  }

  part(reply: Reply, taken: () => void): void {
    this.parts.push({ headers: [...reply.headers], pieces: reply.pieces, taken });
  }

  end(reply: Reply): void {
    this.ends.push({ headers: [...reply.headers], pieces: reply.pieces });
  }

  reset(): void {
    this.resets++;
  }
}

export class FakeHead implements Head {
  readonly face = 'http';
  readonly method = 'POST';
  readonly path = '/v2/models/m/infer';
  readonly query = '';
  readonly contentLength: number;
  readonly timeoutMs: number;
  readonly remoteAddress = '127.0.0.1';
  readonly notes = null;
  readonly #fields: ReadonlyMap<string, string>;

  constructor(fields: Readonly<Record<string, string>> = {}, contentLength = 2, timeoutMs = 0) {
    this.#fields = new Map(Object.entries(fields));
    this.contentLength = contentLength;
    this.timeoutMs = timeoutMs;
  }

  header(name: string): string {
    return this.#fields.get(name) ?? '';
  }
}

/** Writes what it is asked for as a word, and decodes by the function given. */
export class FakeCodec implements Codec {
  readonly name = 'fake';
  readonly #decode: (ctx: RequestContext) => Verdict;

  constructor(decode: (ctx: RequestContext) => Verdict = () => Verdict.Next) {
    this.#decode = decode;
  }

  decode(ctx: RequestContext): Verdict {
    return this.#decode(ctx);
  }

  encode(ctx: RequestContext): void {
    ctx.reply.pieces = [Buffer.from('answer')];
  }

  encodeFault(ctx: RequestContext): void {
    ctx.reply.status = ctx.fault!.http;
    ctx.reply.pieces = [Buffer.from(ctx.fault!.code)];
  }
}

/** Tells several answers as their bytes, and the end as a word. */
export class FakePartCodec extends FakeCodec implements PartCodec {
  encodePart(ctx: RequestContext): void {
    ctx.reply.pieces = ctx.prediction!.outputs.map((output) => output.data);
  }

  encodeEnd(ctx: RequestContext): void {
    ctx.reply.pieces = [Buffer.from(ctx.fault === null ? 'end' : ctx.fault.code)];
  }
}

export function snapshotOf(routes: readonly Route[] = []): Snapshot {
  return {
    revision: 1,
    routes,
    route: (model) => routes.find((route) => route.model === model) ?? null,
    identify: () => null,
  };
}

export function contextWith(
  options: { readonly head?: Head; readonly exit?: Exit; readonly codec?: Codec; readonly fault?: FaultKind } = {},
): RequestContext {
  const match: Match = {
    codec: options.codec ?? new FakeCodec(),
    fault: options.fault ?? null,
    open: false,
    model: 'm',
    version: '',
  };
  return new RequestContext(options.head ?? new FakeHead(), options.exit ?? new FakeExit(), match, snapshotOf());
}
