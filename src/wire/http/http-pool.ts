import { Pool } from 'undici';
import { connectorOf, type HttpPoolTls } from './connector.ts';
import { type ExchangeOwner, HttpExchange } from './http-exchange.ts';
import type { HttpCall, HttpQuestion, HttpSink } from './http-sink.ts';

/** Requests asked anew on another connection: a tenth of all, and a few at once after a restart of the server. */
const REDIALS_A_REQUEST = 0.1;
const MAX_REDIALS = 10;

export interface HttpPoolOptions {
  /** `http://host:port` or `https://host:port` */
  readonly origin: string;
  /** The IP address that the host of `origin` stands for; empty leaves finding it to the package. */
  readonly ip: string;
  /** For https; null takes the defaults. */
  readonly tls: HttpPoolTls | null;
  /** Time for a connection to stand, TLS included. */
  readonly connectTimeoutMs: number;
  /** Time from the request to the first byte of the answer; 0 sets no limit. */
  readonly firstByteTimeoutMs: number;
  /** Time between two pieces of an answer. */
  readonly progressTimeoutMs: number;
  readonly maxConnections: number;
}

/**
 * Connections to one HTTP/1.1 server, each with one call at a time. It never retries, follows no redirect and asks no proxy. Calls that find
 * no free connection wait here and not in the package, which could not let go of them: whoever begins calls bounds how many.
 */
export class HttpPool implements ExchangeOwner {
  readonly firstByteTimeoutMs: number;
  readonly progressTimeoutMs: number;
  readonly #pool: Pool;
  readonly #waiting = new Set<HttpExchange>();
  #free: number;
  #drainDue = false;
  #redials = MAX_REDIALS;
  #closing: Promise<void> | null = null;

  constructor(options: HttpPoolOptions) {
    this.firstByteTimeoutMs = options.firstByteTimeoutMs;
    this.progressTimeoutMs = options.progressTimeoutMs;
    this.#free = options.maxConnections;
    this.#pool = new Pool(options.origin, {
      connections: options.maxConnections,
      connect: connectorOf(options),
      allowH2: false,
      pipelining: 1,
      // Exchanges have timers of their own.
      headersTimeout: 0,
      bodyTimeout: 0,
      // Python servers hang up on idle connections after 5 s: hanging up first avoids sending into a connection that is being closed.
      keepAliveTimeout: 4_000,
      keepAliveMaxTimeout: 60_000,
    });
  }

  /** Begins an exchange. */
  send(question: HttpQuestion, sink: HttpSink): HttpCall {
    this.#redials = Math.min(MAX_REDIALS, this.#redials + REDIALS_A_REQUEST);
    const exchange = new HttpExchange(this, question, sink);
    if (this.#closing !== null) exchange.refuse(CLOSED);
    else if (this.#free === 0) this.#waiting.add(exchange);
    else this.#begin(exchange);
    return exchange;
  }

  /** Ends every exchange and closes the connections. */
  close(): Promise<void> {
    if (this.#closing === null) {
      this.#closing = this.#pool.destroy();
      for (const exchange of this.#waiting) exchange.refuse(CLOSED);
      this.#waiting.clear();
    }
    return this.#closing;
  }

  forget(exchange: HttpExchange): void {
    this.#waiting.delete(exchange);
  }

  /** False when too many have been asked for anew lately: a server that is failing is not asked twice as much. */
  takeRedial(): boolean {
    if (this.#redials < 1) return false;
    this.#redials--;
    return true;
  }

  released(): void {
    this.#free++;
    if (this.#drainDue || this.#waiting.size === 0) return;
    this.#drainDue = true;
    // The package is still busy with the end of the other exchange.
    process.nextTick(drain, this);
  }

  drain(): void {
    this.#drainDue = false;
    for (const exchange of this.#waiting) {
      if (this.#free === 0) return;
      this.#waiting.delete(exchange);
      this.#begin(exchange);
    }
  }

  #begin(exchange: HttpExchange): void {
    this.#free--;
    exchange.begin(this.#pool);
  }
}

const CLOSED = 'The connection pool is closed.';

function drain(pool: HttpPool): void {
  pool.drain();
}
