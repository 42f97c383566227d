import type { Socket } from 'node:net';

/** What a connection knows of an exchange on it. */
export interface LiveExchange {
  /** The body is being read. */
  readonly reading: boolean;
  /** The answer has been given to the socket, and is not all with the kernel yet. */
  readonly answered: boolean;
  /** The body took too long: the exchange ends with a fault, and the connection with it. */
  timeOut(): void;
  /** The connection is gone; says so upwards, once. */
  cut(): void;
}

/** What the last request on a connection tells about the parser. */
interface Message {
  readonly complete: boolean;
}

// Time for a client to read its answer while its unwanted bytes wait in the kernel.
const LINGER_MS = 500;

/** One client connection and the exchanges that are live on it, oldest first. There may be ten thousand idle ones: it holds little. */
export class HttpConnection {
  readonly socket: Socket;
  /** Asked of the kernel when it comes: of a connection that was reset nothing can be asked any more, and the log shall say who it was. */
  readonly remoteAddress: string;
  readonly live: LiveExchange[] = [];
  /** Requests heard on this connection. */
  requests = 0;
  /** An answer that ends the connection is on its way, so whatever else comes is not heard: it may be a smuggled request. */
  ending = false;
  /** Requests that came after that. */
  unheard = 0;
  /** Null before the first request, and again when one has come whole and is answered: it would be kept for as long as the connection. */
  #last: Message | null = null;
  #watchesStall = false;

  constructor(socket: Socket) {
    this.socket = socket;
    this.remoteAddress = socket.remoteAddress ?? '';
    connections.set(socket, this);
  }

  /** The connection of `socket`; null for one that never got as far as HTTP, such as a failed TLS handshake. */
  static of(socket: Socket): HttpConnection | null {
    return connections.get(socket) ?? null;
  }

  get newest(): LiveExchange | null {
    return this.live.length === 0 ? null : this.live[this.live.length - 1]!;
  }

  /** Nothing is asked and nothing half-said: the connection can be closed without a loss. */
  get quiet(): boolean {
    if (this.live.length > 0) return false;
    if (this.#last !== null) return this.#last.complete;
    return this.requests > 0 || this.socket.bytesRead === 0;
  }

  /** The parser is inside the body of a request that has had its answer. */
  get midBody(): boolean {
    return this.live.length === 0 && this.#last !== null && !this.#last.complete;
  }

  heard(message: Message): void {
    this.requests++;
    this.#last = message;
  }

  add(exchange: LiveExchange): void {
    this.live.push(exchange);
  }

  remove(exchange: LiveExchange): void {
    const at = this.live.indexOf(exchange);
    if (at >= 0) this.live.splice(at, 1);
    if (this.live.length === 0 && this.#last?.complete === true) this.#last = null;
    if (!this.#watchesStall || this.live.length === 0 || this.live[0]!.answered) return;
    // The next answer is not there yet, and waiting for it is no stall. With nothing live, node:http has set its own timeout by now.
    this.#watchesStall = false;
    this.socket.setTimeout(0);
  }

  /** Drops the client when it takes no byte of its answers for `stallMs`. Costs a timer only where the kernel did not take all at once. */
  watchStall(stallMs: number): void {
    if (this.socket.writableLength === 0 && this.live.length <= 1) return;
    this.#watchesStall = true;
    this.socket.setTimeout(stallMs);
  }

  /** The client has taken all there is so far of an answer that goes on. */
  calm(): void {
    if (!this.#watchesStall) return;
    this.#watchesStall = false;
    this.socket.setTimeout(0);
  }

  /** Cuts the socket and tells every exchange on it at once, without waiting for the event loop. */
  cut(): void {
    this.socket.destroy();
    while (this.live.length > 0) this.live.shift()!.cut();
  }
}

/**
 * Ends a connection after its last answer while bytes of the client are still unread. Closing at once would make the kernel send a reset,
 * and the client could lose the answer that it is about to read; so the socket is half-closed, reads nothing more, and goes a moment later.
 */
export function linger(socket: Socket): void {
  socket.end();
  socket.pause();
  setTimeout(destroy, LINGER_MS, socket).unref();
}

/** Stands in for a socket's own `destroySoon`, which node:http calls once the last answer is out. */
export function lingerSoon(this: Socket): void {
  linger(this);
}

const destroy = (socket: Socket): void => {
  socket.destroy();
};

/** Keyed weakly: bookkeeping must not keep a socket that the runtime has let go. */
const connections = new WeakMap<Socket, HttpConnection>();
