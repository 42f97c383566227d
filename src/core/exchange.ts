import type { RequestContext } from './context.ts';
import type { FaultKind } from './faults.ts';
import { Proof } from './tenant.ts';
import type { Maybe, Verdict } from './verdict.ts';

/** What is known of a request before its body: enough to identify, limit and route it. */
export interface Head {
  readonly face: 'http' | 'grpc';
  /** Upper case; always POST over gRPC. */
  readonly method: string;
  /** Canonical, without the query. Over gRPC `/package.Service/Method`. */
  readonly path: string;
  /** After the `?`, undecoded; empty when there is none. */
  readonly query: string;
  /** Bytes of the body as stated; 0 when there is none, -1 when the protocol does not say. */
  readonly contentLength: number;
  /** Milliseconds the client grants by the protocol's own means (`grpc-timeout`); 0 when it states none. */
  readonly timeoutMs: number;
  readonly remoteAddress: string;
  /** Of requests with the same fields, octet by octet, on one connection it is the same; null where nobody knows whether they are. */
  readonly notes: HeadNotes | null;
  /** The value of a header field or metadata entry by its lower-case name; empty when absent. */
  header(name: string): string;
}

/** What was found out about the fields of a head, for the next one that is the same. */
export class HeadNotes {
  /** Null until somebody has looked. */
  credential: string | null = null;
  /** Of `credential`. */
  readonly proof = new Proof();
}

/** An answer ready for the wire. `headers` is name, value, name, value; over gRPC they travel as metadata. */
export class Reply {
  status = 200;
  /** gRPC status number. */
  grpc = 0;
  /** gRPC status message; plain text. */
  message = '';
  contentType = 'application/json';
  readonly headers: string[] = [];
  pieces: readonly Uint8Array[] = [];
  /** Filled by a phase before Reply; nothing encodes over it. */
  ready = false;
}

/** The way back to the client. Each listener has one; nothing above it knows node:http, HTTP/2 or gRPC. */
export interface Exit {
  /** A whole answer, at most once. Ignored after the exchange was cut. */
  send(reply: Reply): void;
  /** Cuts the exchange without a well-formed end. */
  reset(): void;
}

/** The way back where several answers can be told: the exit of every exchange that a `PartCodec` is matched to. */
export interface PartExit extends Exit {
  /**
   * One of several answers, in place of `send`; status and header fields go out with the first. `taken` is called when there is room for
   * the next, never from inside.
   */
  part(reply: Reply, taken: () => void): void;
  /** The end after the last part, with what is left to say. */
  end(reply: Reply): void;
}

/** One protocol's way of turning bytes into a request and an answer into bytes. */
export interface Codec {
  /** Closed set: becomes a metric label. */
  readonly name: string;
  /**
   * Reads `ctx.body`; a promise only where bytes are unpacked off the event loop. Next: `ctx.request` is filled. Answer: `ctx.reply`
   * is filled, as for metadata and lists. Refuse: `ctx.fault`.
   */
  decode(ctx: RequestContext): Maybe<Verdict>;
  /** Writes `ctx.prediction` into `ctx.reply`; a promise only where bytes are packed off the event loop. */
  encode(ctx: RequestContext): Maybe<void>;
  /** Writes `ctx.fault` into `ctx.reply`. */
  encodeFault(ctx: RequestContext): void;
}

/** A codec that can tell several answers to one request. */
export interface PartCodec extends Codec {
  /**
   * Writes `ctx.prediction` as one of several answers into `ctx.reply`; one that cannot be said here becomes `ctx.fault`. A promise only
   * where it is so long that a thread writes it.
   */
  encodePart(ctx: RequestContext): Maybe<void>;
  /** Writes into `ctx.reply` what comes after the last answer: nothing, a mark, or `ctx.fault`. */
  encodeEnd(ctx: RequestContext): void;
}

export const tellsParts = (codec: Codec): codec is PartCodec => 'encodePart' in codec;

/** A protocol that has no words for some answers: half floats in JSON, bytes that are no UTF-8. */
export interface AnswerCheck {
  /**
   * Why `ctx.prediction` cannot be said to this caller, and what to do instead; empty when it can. Asked before anybody is charged. A promise
   * only where a thread looks through many strings.
   */
  refusal(ctx: RequestContext): Maybe<string>;
}

/** What matching a head against a protocol's routes gives. Frozen at start-up or made per request where the path names a model. */
export interface Match {
  readonly codec: Codec;
  /** A fault that the head alone shows (unknown path, wrong verb); raised after Identify, so that strangers learn nothing. */
  readonly fault: FaultKind | null;
  /** True for health: answered without a credential and without limits. */
  readonly open: boolean;
  /** From the path; empty where the body names it. */
  readonly model: string;
  readonly version: string;
}

/** What a listener tells the gateway, in this order: open, then complete or fail, gone at any time, closed last and once. */
export interface Front {
  /** All header fields are here, no byte of the body is. Afterwards `ctx.awaitsBody` says whether the body is to be read at all. */
  open(head: Head, exit: Exit): RequestContext;
  /** The whole body, in pieces as they came. Only while `ctx.awaitsBody`. */
  complete(ctx: RequestContext, pieces: readonly Uint8Array[]): void;
  /** The body cannot be had whole: too large, too slow, cut. */
  fail(ctx: RequestContext, kind: FaultKind, detail: string): void;
  /** The client left before the end of its answer. Safe at any time, more than once. */
  gone(ctx: RequestContext): void;
  /** The last byte was handed to the kernel, or the exchange was cut. Exactly once, never from inside `open`. */
  closed(ctx: RequestContext): void;
}

/** How long a listener waits for its clients when it ends. */
export interface DrainLimits {
  /** Exchanges that still run are cut after this. */
  readonly graceMs: number;
  /** Connections on which nothing is asked are kept for this: their next answer tells them to go, so that no request meets a closed door. */
  readonly idleMs: number;
}

/**
 * Takes requests on connections that others have accepted: the port is not its own, so that it outlives whoever answers on it. Every
 * driver passes the same contract suite.
 */
export interface Listener<Connection> {
  readonly face: 'http' | 'grpc';
  /** A connection of which no byte has been read. Past the limit of config it is refused. */
  adopt(connection: Connection): void;
  /** Tells clients to go; resolves when every exchange has closed. Connections that come later are told so too. */
  drain(limits: DrainLimits): Promise<void>;
}
