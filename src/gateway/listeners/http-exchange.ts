import { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestContext } from '../../core/context.ts';
import type { Front, PartExit, Reply } from '../../core/exchange.ts';
import { Fault } from '../../core/faults.ts';
import { type HttpConnection, type LiveExchange, lingerSoon } from './http-connection.ts';
import type { HttpHead } from './http-head.ts';
import { HttpRejection, type Rejection } from './http-rejections.ts';
import { beginReply, endWithReply } from './http-reply.ts';

/** What all exchanges of a listener share. */
export interface House {
  readonly front: Front;
  /** Requests before a connection is closed; 0 sets no limit. */
  readonly maxRequests: number;
  /** A client that takes no byte of its answer for this long is dropped. */
  readonly writeStallMs: number;
  readonly onRejected: (rejection: Rejection) => void;
  /** Clients are told to go. */
  draining: boolean;
  /** Those who ask nothing have had their time to be told so. */
  idleOver: boolean;
}

/** The two halves of an exchange as node:http makes them. Each leads back to it, so that no handler is a closure. */
export class HttpRequest extends IncomingMessage {
  exchange: HttpExchange | null = null;
}
export class HttpResponse extends ServerResponse<HttpRequest> {
  exchange: HttpExchange | null = null;
}

// An unread rest up to this is swallowed, so that a refusal does not cost its client the connection; beyond it the connection ends.
const SWALLOW_BYTES = 65_536;

const NO_PIECES: readonly Uint8Array[] = Object.freeze([]);

/** Where the body is: nobody has asked for it, it is being read, or nothing more of it is wanted. */
const Body = { Unread: 0, Reading: 1, Over: 2 } as const;
type Body = (typeof Body)[keyof typeof Body];

/** Where the answer is: not given, given to the socket, or with the kernel or cut. */
const Answer = { Open: 0, Given: 1, Closed: 2 } as const;
type Answer = (typeof Answer)[keyof typeof Answer];

/** One request and its answer: turns what node:http says into the order that a Front is promised. */
export class HttpExchange implements PartExit, LiveExchange {
  readonly #house: House;
  readonly #connection: HttpConnection;
  readonly #head: HttpHead;
  readonly #response: HttpResponse;
  #context: RequestContext | null = null;
  #body: Body = Body.Unread;
  #answer: Answer = Answer.Open;
  #pieces: Uint8Array[] = [];
  #receivedBytes = 0;
  /** The client waits for a 100 before it sends; until then nobody knows whether its body follows. */
  #awaitsContinue: boolean;
  #endsConnection: boolean;
  /** Cut by the Front, which need not be told that the client is gone. */
  #reset = false;

  constructor(house: House, connection: HttpConnection, head: HttpHead, response: HttpResponse, awaitsContinue: boolean) {
    this.#house = house;
    this.#connection = connection;
    this.#head = head;
    this.#response = response;
    this.#awaitsContinue = awaitsContinue;
    this.#endsConnection = house.maxRequests !== 0 && connection.requests >= house.maxRequests;
    // Where the client itself asked for the end of the connection, node:http ends it after this answer.
    connection.ending = this.#endsConnection || !response.shouldKeepAlive;
    connection.add(this);
    response.exchange = this;
    response.on('finish', onFinish);
  }

  get reading(): boolean {
    return this.#body === Body.Reading;
  }

  get answered(): boolean {
    return this.#answer === Answer.Given;
  }

  /** Shows the head to the Front, and reads the body if the Front wants it. */
  begin(): void {
    const front = this.#house.front;
    const context = front.open(this.#head, this);
    this.#context = context;
    if (!context.awaitsBody || this.#answer !== Answer.Open) return;
    const lengthBytes = this.#head.contentLength;
    if (lengthBytes > context.bodyLimitBytes) {
      front.fail(context, Fault.BodyTooLarge, '');
    } else if (lengthBytes === 0) {
      this.#body = Body.Over;
      front.complete(context, NO_PIECES);
    } else {
      this.#read();
    }
  }

  send(reply: Reply): void {
    const { socket } = this.#connection;
    if (this.#answer !== Answer.Open || socket.destroyed) return;
    this.#answer = Answer.Given;
    const wasReading = this.#body === Body.Reading;
    this.#body = Body.Over;
    const unreadBytes = this.#response.req.complete ? 0 : this.#head.contentLength - this.#receivedBytes;
    const last = this.#isLast(unreadBytes);
    if (last) this.#connection.ending = true;
    if (!endWithReply(this.#response, reply, last)) this.#house.onRejected(HttpRejection.Reply);
    if (last && unreadBytes > 0) this.#leaveUnread(wasReading);
    this.#connection.watchStall(this.#house.writeStallMs);
  }

  part(reply: Reply, taken: () => void): void {
    if (!this.#begin(reply)) return;
    const response = this.#response;
    for (let i = 0; i < reply.pieces.length; i++) response.write(reply.pieces[i]);
    if (!response.writableNeedDrain) {
      setImmediate(taken);
      return;
    }
    // Paused until the client has read; one that does not is dropped like one that takes nothing of a whole answer.
    this.#connection.watchStall(this.#house.writeStallMs);
    response.once('drain', () => {
      this.#connection.calm();
      taken();
    });
  }

  end(reply: Reply): void {
    if (!this.#begin(reply)) return;
    for (let i = 0; i < reply.pieces.length; i++) this.#response.write(reply.pieces[i]);
    this.#response.end();
    this.#connection.watchStall(this.#house.writeStallMs);
  }

  reset(): void {
    if (this.#answer === Answer.Closed) return;
    this.#reset = true;
    this.#connection.socket.destroy();
  }

  take(piece: Uint8Array): void {
    if (this.#body !== Body.Reading) return;
    // The parser hands out no byte beyond Content-Length, which has been compared with the limit: no second count is needed.
    this.#receivedBytes += piece.length;
    this.#pieces.push(piece);
  }

  bodyEnded(): void {
    if (this.#body !== Body.Reading) return;
    this.#body = Body.Over;
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#house.front.complete(this.#context!, pieces);
  }

  timeOut(): void {
    this.#body = Body.Over;
    this.#pieces = [];
    this.#endsConnection = true;
    this.#house.front.fail(this.#context!, Fault.BodyTimeout, '');
  }

  /** All of the answer is with the kernel. */
  finished(): void {
    if (this.#answer === Answer.Closed) return;
    this.#answer = Answer.Closed;
    const connection = this.#connection;
    connection.remove(this);
    this.#house.front.closed(this.#context!);
    // An answer that was given before the drain began did not tell the client to go; the next one would.
    if (this.#house.idleOver && connection.quiet) connection.socket.destroySoon();
  }

  cut(): void {
    if (this.#answer === Answer.Closed) return;
    this.#answer = Answer.Closed;
    this.#body = Body.Over;
    this.#pieces = [];
    if (!this.#reset) this.#house.front.gone(this.#context!);
    this.#house.front.closed(this.#context!);
  }

  /** Writes the head of an answer in parts, once. False when nothing can be written any more. */
  #begin(reply: Reply): boolean {
    if (this.#connection.socket.destroyed || this.#response.writableEnded) return false;
    if (this.#answer !== Answer.Open) return this.#answer === Answer.Given;
    this.#answer = Answer.Given;
    const last = this.#isLast(0);
    if (last) this.#connection.ending = true;
    if (beginReply(this.#response, reply, last)) return true;
    this.#house.onRejected(HttpRejection.Reply);
    return false;
  }

  #read(): void {
    this.#body = Body.Reading;
    if (this.#awaitsContinue) {
      this.#awaitsContinue = false;
      this.#response.writeContinue();
    }
    const request = this.#response.req;
    request.exchange = this;
    request.on('data', onData);
    request.on('end', onEnd);
  }

  /** Only the newest answer may end the connection: an older one would cut those behind it. */
  #isLast(unreadBytes: number): boolean {
    if (this.#connection.newest !== this) return false;
    if (this.#endsConnection || this.#awaitsContinue || this.#house.draining) return true;
    return unreadBytes > SWALLOW_BYTES;
  }

  /** Leaves the rest of the body in the kernel, where it costs the sender its window and this process nothing. */
  #leaveUnread(wasReading: boolean): void {
    const request = this.#response.req;
    // Left alone, node:http would swallow the body to its end, however long it is. Reading nothing counts as reading, and stops that:
    // the request buffers up to its high-water mark and then no more is taken from the socket.
    if (wasReading) request.pause();
    else request.read(0);
    this.#connection.socket.destroySoon = lingerSoon;
  }
}

function onData(this: HttpRequest, piece: Uint8Array): void {
  this.exchange!.take(piece);
}

function onEnd(this: HttpRequest): void {
  this.exchange!.bodyEnded();
}

function onFinish(this: HttpResponse): void {
  this.exchange!.finished();
}
