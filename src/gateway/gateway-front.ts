import { credentialOf } from '../auth/credential.ts';
import type { Clock } from '../core/clock.ts';
import { RequestContext } from '../core/context.ts';
import type { Exit, Head, Match } from '../core/exchange.ts';
import type { FaultKind } from '../core/faults.ts';
import type { Observer } from '../core/observer.ts';
import { Roster } from '../core/roster.ts';
import type { Snapshot } from '../core/traffic.ts';
import { Phase, Verdict } from '../core/verdict.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { StreamFront } from './listeners/stream-front.ts';
import type { Admit } from './phases/admit.ts';
import { requestIdOf } from './request-id.ts';

/** Knows which codec answers to a head. */
export interface Protocol {
  match(head: Head): Match;
}

export interface FrontOptions {
  readonly clock: Clock;
  readonly http: Protocol;
  readonly grpc: Protocol;
  readonly lifecycle: Lifecycle;
  readonly admit: Admit;
  readonly observer: Observer;
  /** Read once a request. */
  readonly snapshot: () => Snapshot;
  /** Hears of errors that nobody can be told about any more. */
  readonly onLost: (error: unknown) => void;
}

/** Where listeners hand requests over: makes the context and starts its life. */
export class GatewayFront implements StreamFront {
  readonly #o: FrontOptions;
  readonly #open = new Roster<RequestContext>();

  constructor(options: FrontOptions) {
    this.#o = options;
  }

  /** @hot */
  open(head: Head, exit: Exit): RequestContext {
    const o = this.#o;
    const match = (head.face === 'grpc' ? o.grpc : o.http).match(head);
    const ctx = new RequestContext(head, exit, match, o.snapshot());
    ctx.startedMs = o.clock.nowMs();
    ctx.startedUs = o.clock.nowUs();
    ctx.requestId = requestIdOf(head.header('x-request-id'));
    this.#open.add(ctx);
    this.#observe(ctx);
    o.lifecycle.drive(ctx);
    return ctx;
  }

  knows(head: Head): boolean {
    const { clock, snapshot } = this.#o;
    const credential = credentialOf(head);
    return credential !== '' && snapshot().identify(credential, clock.wallMs(), head.notes?.proof) !== null;
  }

  /** Nobody's request fails because it could not be watched. */
  #observe(ctx: RequestContext): void {
    try {
      this.#o.observer.opened(ctx);
    } catch (error) {
      this.#o.onLost(error);
    }
  }

  /** @hot */
  complete(ctx: RequestContext, pieces: readonly Uint8Array[]): void {
    if (!ctx.awaitsBody || ctx.phase > Phase.Decode) return;
    ctx.awaitsBody = false;
    ctx.body = pieces;
    // Where no length was stated the bytes are held only now that they are known.
    if (ctx.head.contentLength < 0 && !ctx.match.open && this.#o.admit.holdBytes(ctx, sizeOf(pieces)) === Verdict.Refuse) {
      this.#o.lifecycle.refuse(ctx);
      return;
    }
    // Admit may still wait for other processes, and drives on by itself.
    if (ctx.phase === Phase.Decode) this.#o.lifecycle.drive(ctx);
  }

  fail(ctx: RequestContext, kind: FaultKind, detail: string): void {
    if (ctx.phase >= Phase.Book) return;
    ctx.refuse(kind, detail);
    this.#o.lifecycle.refuse(ctx);
  }

  gone(ctx: RequestContext): void {
    this.#o.lifecycle.abort(ctx, true);
  }

  /** Refuses every request that has no answer yet, and cancels what it waits for; where some of several answers are told, no more are. */
  refuseAll(kind: FaultKind): void {
    for (const ctx of this.#open.all()) {
      if (ctx.phase >= Phase.Book) ctx.parts?.abort(kind);
      else this.fail(ctx, kind, '');
    }
  }

  closed(ctx: RequestContext): void {
    this.#open.delete(ctx);
    this.#o.lifecycle.closed(ctx);
  }
}

function sizeOf(pieces: readonly Uint8Array[]): number {
  let size = 0;
  for (let i = 0; i < pieces.length; i++) size += pieces[i]!.length;
  return size;
}
