import type { Timing } from '../../../core/timing.ts';
import type { GrpcChannelOptions } from '../../grpc/grpc-channel.ts';
import { Backoff } from './backoff.ts';
import type { CallHeads } from './call-heads.ts';
import type { ClientConnection } from './client-connection.ts';
import type { ClientRules } from './client-limits.ts';
import { type DialTarget, dialTarget } from './dial.ts';
import { Dialling, type DiallingOwner } from './dialling.ts';
import { ReadyWaiters } from './ready-waiters.ts';

/** Who waits for connections. */
export interface SetOwner {
  /** A call may begin. */
  onRoom(): void;
  /** A connection takes no more calls. */
  onFewer(): void;
  onNoConnection(reason: string): void;
}

/** What all connections of a channel have in common. */
export interface SetParts {
  readonly heads: CallHeads;
  readonly rules: ClientRules;
  readonly timing: Timing;
}

/** What is lost sooner than this and has answered nothing counts as one that never stood. */
const STOOD_MS = 1_000;
/** A server that was pinged too often is pinged half as often, down to this. */
const LONGEST_KEEP_ALIVE_MS = 600_000;

/**
 * The connections of a channel: dialled when a call wants one, again after a pause when that fails, and not before the next call when one
 * that stood is lost.
 */
export class ConnectionSet implements DiallingOwner {
  readonly heads: CallHeads;
  readonly rules: ClientRules;
  readonly timing: Timing;
  /** Why there is no connection and none is waited for: the last try failed, and no later one has come about. */
  failure: string | null = null;
  readonly #owner: SetOwner;
  readonly #target: DialTarget;
  readonly #connectTimeoutMs: number;
  readonly #open: ClientConnection[] = [];
  readonly #backoff: Backoff;
  readonly #waiters = new ReadyWaiters();
  #dialling: Dialling | null = null;
  #unpause: (() => void) | null = null;
  #keepAliveMs: number;
  #closed = false;

  constructor(options: GrpcChannelOptions, { heads, rules, timing }: SetParts, owner: SetOwner) {
    this.heads = heads;
    this.rules = rules;
    this.timing = timing;
    this.#keepAliveMs = rules.limits.keepAliveTimeMs;
    this.#owner = owner;
    this.#target = dialTarget(options);
    this.#connectTimeoutMs = options.connectTimeoutMs;
    this.#backoff = new Backoff(timing.random);
  }

  /** One on which a call may begin; null when there is none. @hot */
  withRoom(): ClientConnection | null {
    const open = this.#open;
    for (let i = 0; i < open.length; i++) if (open[i]!.hasRoom) return open[i]!;
    return null;
  }

  /** A call waits, for a connection or for a place on one. */
  want(): void {
    if (this.#dialling !== null || this.#closed || this.#open.length >= this.rules.limits.maxConnections) return;
    if (this.#unpause !== null) {
      // The pause was for a second connection, and now there is not even a first: the call waits for no pause.
      if (this.#open.length > 0 || this.failure !== null) return;
      this.#unpause();
      this.#unpause = null;
    }
    this.#dial();
  }

  ready(timeoutMs: number): Promise<boolean> {
    if (this.#open.length > 0) return Promise.resolve(true);
    const waiting = this.#waiters.wait(timeoutMs);
    this.want();
    return waiting;
  }

  close(): void {
    this.#closed = true;
    this.#unpause?.();
    this.#unpause = null;
    this.#dialling?.abandon();
    this.#waiters.tell(false);
    // Each leaves the list as it closes.
    for (const connection of this.#open.slice()) connection.close();
  }

  onOpen(connection: ClientConnection): void {
    this.#dialling = null;
    this.#open.push(connection);
    this.failure = null;
    this.#waiters.tell(true);
    if (this.#closed) connection.close();
    else this.#owner.onRoom();
  }

  onRoom(): void {
    this.#owner.onRoom();
  }

  onDraining(connection: ClientConnection): void {
    const at = this.#open.indexOf(connection);
    if (at < 0) return;
    this.#open.splice(at, 1);
    this.#owner.onFewer();
  }

  onUndialled(reason: string): void {
    this.#dialling = null;
    this.#fail(reason);
  }

  onTooManyPings(): void {
    this.#keepAliveMs = Math.min(this.#keepAliveMs * 2, Math.max(LONGEST_KEEP_ALIVE_MS, this.rules.limits.keepAliveTimeMs));
  }

  onLost(connection: ClientConnection, reason: string): void {
    const livedMs = this.timing.clock.nowMs() - connection.sinceMs;
    const at = this.#open.indexOf(connection);
    if (at >= 0) this.#open.splice(at, 1);
    if (connection.answered > 0 || livedMs >= STOOD_MS) this.#backoff.reset();
    else this.#fail(reason);
    this.#owner.onFewer();
  }

  #dial(): void {
    this.#dialling = new Dialling(this, this.#target, this.#connectTimeoutMs, this.#keepAliveMs);
  }

  /** Calls hear of a failure only where no connection is left; the next try comes by itself. */
  #fail(reason: string): void {
    if (this.#closed) return;
    if (this.#open.length === 0) {
      this.failure = reason;
      this.#owner.onNoConnection(reason);
    }
    if (this.#unpause !== null) return;
    this.#unpause = this.timing.setAlarm(this.#backoff.next(), () => {
      this.#unpause = null;
      if (this.#open.length === 0) this.#dial();
    });
  }
}
