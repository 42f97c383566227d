import type { RequestContext } from '../core/context.ts';
import { LineBytes } from './line-bytes.ts';

/** Characters kept of what callers may make long. */
export const MAX_TEXT = 200;
const MAX_METHOD = 16;
/** Remembered for one tenant at one model, and for all: some 10 MB at most. */
const MAX_KINDS_OF_MODEL = 32;
const MAX_KINDS = 16_384;
/** For a kind as JSON: six bytes for each of the characters that it may have at most. */
const MAX_KIND_BYTES = 16_384;

/**
 * All that many requests have in common: whose they are, by which door they came, for what, and where that was placed. It is made once and told
 * of each of them, in the log as bytes and in memory as one reference; it holds texts alone, so it keeps no config, body or backend alive. The
 * key is none of it: a tenant may have a hundred thousand, and a kind for each would be forgotten before it comes again.
 */
export class RequestKind {
  readonly face: 'http' | 'grpc';
  readonly codec: string;
  readonly method: string;
  readonly path: string;
  /** Empty for a stranger. */
  readonly tenant: string;
  /** Empty where no model was found. */
  readonly model: string;
  /** Empty where no variant was chosen. */
  readonly variant: string;
  /** Empty where nobody answered. */
  readonly answeredBy: string;
  readonly cache: RequestContext['cacheResult'];
  readonly #known: boolean;
  readonly #routed: boolean;
  #line: Uint8Array | null = null;

  constructor(ctx: RequestContext) {
    const { head, principal, route, variant, answeredBy } = ctx;
    this.face = head.face;
    this.codec = ctx.codec.name;
    this.method = ownedMethod.of(head.method);
    this.path = ownedPath.of(head.path);
    this.tenant = principal === null ? '' : principal.tenant.id;
    this.model = route === null ? '' : route.model;
    this.variant = variant === null ? '' : variant.name;
    this.answeredBy = answeredBy === null ? '' : answeredBy.name;
    this.cache = ctx.cacheResult;
    this.#known = principal !== null;
    this.#routed = route !== null;
  }

  /** Its fields in an access line, from `face` to `cache`; made when one is first written. */
  get line(): Uint8Array {
    this.#line ??= lineOf(this, this.#known, this.#routed);
    return this.#line;
  }
}

/** Finds the kind of a request that is over. Those that were refused before they were placed are as many as callers like, and not kept. */
export class RequestKinds {
  /** By tenant, then by model. */
  readonly #byTenant = new Map<string, Map<string, RequestKind[]>>();
  #count = 0;
  /** The next to be replaced of a model that has as many as it may. */
  #next = 0;

  /** @hot */
  of(ctx: RequestContext): RequestKind {
    const { principal, route, variant, head } = ctx;
    if (principal === null || route === null || variant === null) return new RequestKind(ctx);
    if (head.path.length > MAX_TEXT) return new RequestKind(ctx);
    const kinds = this.#byTenant.get(principal.tenant.id)?.get(route.model);
    if (kinds === undefined) return this.#add(ctx, principal.tenant.id, route.model);
    for (let i = 0; i < kinds.length; i++) {
      if (isOf(kinds[i]!, ctx)) return kinds[i]!;
    }
    return this.#add(ctx, principal.tenant.id, route.model);
  }

  #add(ctx: RequestContext, tenant: string, model: string): RequestKind {
    if (this.#count >= MAX_KINDS) {
      this.#byTenant.clear();
      this.#count = 0;
    }
    const kind = new RequestKind(ctx);
    let models = this.#byTenant.get(tenant);
    if (models === undefined) {
      models = new Map();
      this.#byTenant.set(tenant, models);
    }
    const kinds = models.get(model);
    if (kinds === undefined) models.set(model, [kind]);
    else if (kinds.length < MAX_KINDS_OF_MODEL) kinds.push(kind);
    else {
      kinds[this.#next] = kind;
      this.#next = (this.#next + 1) % MAX_KINDS_OF_MODEL;
      return kind;
    }
    this.#count++;
    return kind;
  }
}

/** Of texts that config owns the reference is compared first, and nearly always that is all. */
function isOf(kind: RequestKind, ctx: RequestContext): boolean {
  const { head, principal, route, variant, answeredBy } = ctx;
  return (
    kind.cache === ctx.cacheResult &&
    kind.model === route!.model &&
    kind.variant === variant!.name &&
    kind.answeredBy === (answeredBy === null ? '' : answeredBy.name) &&
    kind.tenant === principal!.tenant.id &&
    kind.face === head.face &&
    kind.codec === ctx.codec.name &&
    kind.method === head.method &&
    kind.path === head.path
  );
}

const scratch = new LineBytes(Buffer.alloc(MAX_KIND_BYTES));
const FACE = Buffer.from(',"face":"');
const CODEC = Buffer.from('","codec":"');
const METHOD = Buffer.from('","method":"');
const PATH = Buffer.from('","path":"');
const TENANT = Buffer.from('","tenant":"');
const MODEL = Buffer.from('","model":"');
const VARIANT = Buffer.from('","variant":"');
const CACHE = Buffer.from('","cache":"');
const END = Buffer.from('"');

function lineOf(kind: RequestKind, known: boolean, routed: boolean): Uint8Array {
  scratch.length = 0;
  field(FACE, kind.face, MAX_TEXT);
  field(CODEC, kind.codec, MAX_TEXT);
  field(METHOD, kind.method, MAX_METHOD);
  field(PATH, kind.path, MAX_TEXT);
  if (known) field(TENANT, kind.tenant, MAX_TEXT);
  if (routed) {
    field(MODEL, kind.model, MAX_TEXT);
    field(VARIANT, kind.answeredBy === '' ? kind.variant : kind.answeredBy, MAX_TEXT);
    field(CACHE, kind.cache, MAX_TEXT);
  }
  scratch.raw(END);
  return new Uint8Array(scratch.bytes.subarray(0, scratch.length));
}

function field(key: Uint8Array, value: string, limit: number): void {
  scratch.raw(key);
  scratch.text(value, limit);
}

/** Shorter texts V8 copies by itself when it cuts them off another. */
const LEAST_SLICE = 13;

/** Copied through bytes: what V8 slices off a text keeps all of it alive, and callers send URLs of 16 KB. */
export function owned(text: string, limit: number): string {
  if (text.length < LEAST_SLICE) return text;
  const kept = text.length > limit ? text.slice(0, limit) : text;
  // One byte a character where that is enough: such texts are compared quickly.
  const latin1 = Buffer.from(kept, 'latin1').toString('latin1');
  return latin1 === kept ? latin1 : Buffer.from(kept, 'utf16le').toString('utf16le');
}

/** The last text and its copy: kinds that are made one after another mostly differ in something else. */
class LastOwned {
  #owned = '';

  of(text: string): string {
    if (text === this.#owned) return this.#owned;
    if (text.length > MAX_TEXT) return owned(text, MAX_TEXT);
    this.#owned = owned(text, MAX_TEXT);
    return this.#owned;
  }
}

const ownedMethod = new LastOwned();
const ownedPath = new LastOwned();
