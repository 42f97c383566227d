import { RequestContext } from '../../src/core/context.ts';
import { type Codec, type Exit, type Head, Reply } from '../../src/core/exchange.ts';
import type { FaultKind } from '../../src/core/faults.ts';
import type { Snapshot } from '../../src/core/traffic.ts';
import { Verdict } from '../../src/core/verdict.ts';
import type { StreamFront } from '../../src/gateway/listeners/stream-front.ts';

const CODEC: Codec = { name: 'test', decode: () => Verdict.Next, encode: () => {}, encodeFault: () => {} };
const SNAPSHOT: Snapshot = { revision: 1, routes: [], route: () => null, identify: () => null };
const LIMIT_MS = 5_000;

/** What has happened to one request. */
export interface Visit {
  readonly ctx: RequestContext;
  readonly head: Head;
  readonly exit: Exit;
  /** `open`, `complete`, `fail CODE`, `gone`, `closed`, in the order in which they came. */
  readonly events: string[];
  pieces: readonly Uint8Array[];
  body: string;
}

/**
 * A Front that notes what a listener tells it and holds the listener to its word: anything out of order is a violation. By default it
 * wants every body and answers with it; a test replaces the `on…` functions to do otherwise.
 */
export class RecordingFront implements StreamFront {
  readonly visits: Visit[] = [];
  readonly violations: string[] = [];
  wantsBody = true;
  knowsCaller = true;
  bodyLimitBytes = 64 * 1024 * 1024;
  /** Runs inside `open`, before the listener gets its context. */
  onOpen: (visit: Visit) => void = () => {};
  onComplete: (visit: Visit) => void = (visit) => visit.exit.send(answer(200, visit.body));
  onFail: (visit: Visit, kind: FaultKind) => void = (visit, kind) => visit.exit.send(answer(kind.http, kind.code));
  #opening = false;
  readonly #waiting = new Set<() => void>();

  /** The one request there has been. */
  get only(): Visit {
    if (this.visits.length !== 1) throw new Error(`Expected one request, found ${this.visits.length}.`);
    return this.visits[0]!;
  }

  knows(): boolean {
    return this.knowsCaller;
  }

  open(head: Head, exit: Exit): RequestContext {
    const match = { codec: CODEC, fault: null, open: false, model: '', version: '' };
    const ctx = new RequestContext(head, exit, match, SNAPSHOT);
    ctx.awaitsBody = this.wantsBody;
    ctx.bodyLimitBytes = this.bodyLimitBytes;
    const visit: Visit = { ctx, head, exit, events: [], pieces: [], body: '' };
    this.visits.push(visit);
    this.#note(visit, 'open');
    this.#opening = true;
    this.onOpen(visit);
    this.#opening = false;
    return ctx;
  }

  complete(ctx: RequestContext, pieces: readonly Uint8Array[]): void {
    const visit = this.#visit(ctx);
    if (!ctx.awaitsBody) this.violations.push('complete for a body that nobody awaits');
    if (visit.events.some((event) => event !== 'open')) this.violations.push(`complete after ${visit.events.join(', ')}`);
    visit.pieces = pieces;
    visit.body = Buffer.concat(pieces).toString('latin1');
    this.#note(visit, 'complete');
    this.onComplete(visit);
  }

  fail(ctx: RequestContext, kind: FaultKind): void {
    const visit = this.#visit(ctx);
    if (visit.events.some((event) => event !== 'open')) this.violations.push(`fail after ${visit.events.join(', ')}`);
    this.#note(visit, `fail ${kind.code}`);
    this.onFail(visit, kind);
  }

  gone(ctx: RequestContext): void {
    const visit = this.#visit(ctx);
    if (visit.events.includes('closed')) this.violations.push('gone after closed');
    this.#note(visit, 'gone');
  }

  closed(ctx: RequestContext): void {
    const visit = this.#visit(ctx);
    if (this.#opening) this.violations.push('closed from inside open');
    if (visit.events.includes('closed')) this.violations.push('closed twice');
    this.#note(visit, 'closed');
  }

  /** Resolves when `count` requests have had `event`. */
  async heard(event: string, count = 1): Promise<void> {
    const deadline = Date.now() + LIMIT_MS;
    while (this.visits.filter((visit) => visit.events.includes(event)).length < count) {
      const leftMs = deadline - Date.now();
      if (leftMs <= 0)
        throw new Error(`Expected "${event}" ${count} times, found ${JSON.stringify(this.visits.map((v) => v.events))}.`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, leftMs);
        function done(): void {
          clearTimeout(timer);
          resolve();
        }
        this.#waiting.add(done);
      });
    }
  }

  #visit(ctx: RequestContext): Visit {
    const visit = this.visits.find((known) => known.ctx === ctx);
    if (visit === undefined) throw new Error('The listener speaks of a context that it did not get here.');
    return visit;
  }

  #note(visit: Visit, event: string): void {
    visit.events.push(event);
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

/** A reply with `body`, in as many pieces as are given. */
export function answer(status: number, ...body: readonly (string | Uint8Array)[]): Reply {
  const reply = new Reply();
  reply.status = status;
  reply.contentType = 'text/plain';
  reply.pieces = body.map((piece) => (typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece));
  return reply;
}
