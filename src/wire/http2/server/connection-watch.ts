/** How long a connection may be what, in milliseconds. */
export interface WatchTimes {
  readonly keepAliveTimeMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly maxConnectionIdleMs: number;
  readonly writeStallMs: number;
}

/** What there is to be seen of a connection. */
export interface ConnectionState {
  readonly streams: number;
  readonly unsentBytes: number;
  readonly draining: boolean;
}

/** Time for a client to say that it speaks HTTP/2 (RFC 9113, 3.4). */
const PREFACE_MS = 10_000;
/** A connection must take a byte of what waits for it within this time, beyond what its streams have: longer than a lost packet costs. */
const STUCK_MS = 5_000;
/** Time for a client to hear that the connection ends, before the last of its calls is named (RFC 9113, 6.8). */
const DRAIN_MS = 1_000;
/** Time for a client to take our farewell. */
const FAREWELL_MS = 1_000;

/** What is to be done about a connection: nothing, give it up, end it politely, ask whether it lives, or name its last stream. */
export type Verdict = 'well' | 'dead' | 'idle' | 'ask' | 'last';

/** The times of one connection: it has none of its own to wait for, but is looked at again and again. */
export class ConnectionWatch {
  readonly times: WatchTimes;
  readonly #sinceMs: number;
  #isOpen = false;
  #heardMs: number;
  /** When it was asked whether it lives; negative when it was not. */
  #askedMs = NEVER;
  #idleSinceMs: number;
  #unsentBytes = 0;
  #takenMs: number;
  #drainMs = NEVER;
  #partedMs = NEVER;

  constructor(times: WatchTimes, nowMs: number) {
    this.times = times;
    this.#sinceMs = nowMs;
    this.#heardMs = nowMs;
    this.#idleSinceMs = nowMs;
    this.#takenMs = nowMs;
  }

  /** The client has sent its SETTINGS. */
  opened(): void {
    this.#isOpen = true;
  }

  /** @hot */
  heard(nowMs: number): void {
    this.#heardMs = nowMs;
    this.#askedMs = NEVER;
  }

  /** Asked again and again once the farewell has been said. */
  farewellOver(nowMs: number): boolean {
    if (this.#partedMs === NEVER) this.#partedMs = nowMs;
    return nowMs - this.#partedMs >= FAREWELL_MS;
  }

  look(nowMs: number, { streams, unsentBytes, draining }: ConnectionState): Verdict {
    const { times } = this;
    if (!this.#isOpen && nowMs - this.#sinceMs >= PREFACE_MS) return 'dead';
    if (unsentBytes === 0 || unsentBytes !== this.#unsentBytes) this.#takenMs = nowMs;
    this.#unsentBytes = unsentBytes;
    if (nowMs - this.#takenMs >= times.writeStallMs + STUCK_MS) return 'dead';
    if (streams > 0) this.#idleSinceMs = nowMs;
    if (nowMs - this.#idleSinceMs >= times.maxConnectionIdleMs) return 'idle';
    if (draining) {
      if (this.#drainMs === NEVER) this.#drainMs = nowMs;
      if (nowMs - this.#drainMs >= DRAIN_MS) return 'last';
    }
    return this.#lives(nowMs);
  }

  #lives(nowMs: number): Verdict {
    const { keepAliveTimeMs, keepAliveTimeoutMs } = this.times;
    if (this.#askedMs !== NEVER) return nowMs - this.#askedMs >= keepAliveTimeoutMs ? 'dead' : 'well';
    if (nowMs - this.#heardMs < keepAliveTimeMs) return 'well';
    this.#askedMs = nowMs;
    return 'ask';
  }
}

const NEVER = -1;
