import type { RequestContext } from '../core/context.ts';
import type { Head } from '../core/exchange.ts';
import { Fault } from '../core/faults.ts';
import { type Maybe, Phase, Verdict } from '../core/verdict.ts';
import type { BodyFlaw, BodyRules } from './rest/body-rules.ts';
import { type InflateLimits, Inflation } from './rest/inflation.ts';
import { fillFault } from './rest/json-reply.ts';
import { codingOf, mediaOf } from './rest/media.ts';
import { wholeBody } from './rest/whole-body.ts';

/** Reads a body that is JSON from end to end. */
export interface JsonReading {
  /** A promise where a thread reads it. @hot */
  read(ctx: RequestContext, json: Uint8Array): Maybe<Verdict>;
}

export interface JsonBodyOptions {
  readonly rules: BodyRules;
  readonly inflate: InflateLimits;
  /** Take any content type for JSON: `curl -d` says that it sends a form, and servers of that protocol never looked. */
  readonly anyType: boolean;
}

const OTHER_CODING: BodyFlaw = { kind: Fault.MediaType, hint: 'The Content-Encoding may be gzip or deflate.' };
const OTHER_TYPE: BodyFlaw = {
  kind: Fault.MediaType,
  hint: 'Send application/json; the Content-Encoding may be gzip or deflate.',
};

/** Bodies in JSON alone, packed or not: what their header fields must say, and how their bytes are had. */
export class JsonBody {
  readonly #o: JsonBodyOptions;

  constructor(options: JsonBodyOptions) {
    this.#o = options;
  }

  /** Why the body is refused before it is read, or null. @hot */
  flaw(head: Head): BodyFlaw | null {
    const { rules, anyType } = this.#o;
    if (!anyType && mediaOf(head.header('content-type')) !== 'json') return OTHER_TYPE;
    const coding = codingOf(head.header('content-encoding'));
    if (coding === 'other') return OTHER_CODING;
    // What is packed has its length after unpacking alone.
    return coding === 'identity' && head.contentLength > rules.maxJsonBytes ? rules.tooLong : null;
  }

  /** Hands the whole body to `reading`; a promise only where it has to be unpacked, or copied for long. @hot */
  decode(ctx: RequestContext, reading: JsonReading): Maybe<Verdict> {
    const coding = codingOf(ctx.head.header('content-encoding'));
    if (coding === 'gzip' || coding === 'deflate') return this.#unpack(ctx, coding, reading);
    const body = wholeBody(ctx.body);
    return body instanceof Promise ? body.then((whole) => this.#read(ctx, whole, reading)) : this.#read(ctx, body, reading);
  }

  encodeFault(ctx: RequestContext): void {
    // A fault of the head has no detail; a stranger hears of another fault and nothing of his body.
    const ofHead = ctx.fault !== null && ctx.fault === ctx.match.fault;
    fillFault(ctx, ofHead ? (this.flaw(ctx.head)?.hint ?? '') : '');
  }

  async #unpack(ctx: RequestContext, coding: 'gzip' | 'deflate', reading: JsonReading): Promise<Verdict> {
    const pieces = await new Inflation(ctx, coding, this.#o.inflate, this.#o.rules.jsonBound).run();
    return pieces === null ? Verdict.Refuse : this.#read(ctx, await wholeBody(pieces), reading);
  }

  #read(ctx: RequestContext, body: Uint8Array, reading: JsonReading): Maybe<Verdict> {
    // The client may have left while bytes were unpacked or copied.
    if (ctx.phase > Phase.Decode) return Verdict.Refuse;
    // The pieces have been copied; kept as well, they would hold the memory twice.
    ctx.body = [body];
    return reading.read(ctx, body);
  }
}
