import type { Socket } from 'node:net';
import type { HttpListenConfig } from '../../config/listen-schema.ts';
import type { DrainLimits, Front, Listener } from '../../core/exchange.ts';
import { HttpConnection, linger, lingerSoon } from './http-connection.ts';
import { type House, HttpExchange, type HttpRequest, type HttpResponse } from './http-exchange.ts';
import { HttpHead } from './http-head.ts';
import { HttpRejection, type Rejection } from './http-rejections.ts';
import { endWithRejection } from './http-reply.ts';
import { type HttpServer, makeServer, type TlsFiles } from './http-server.ts';
import { flawOfRequest } from './http-strictness.ts';

export interface HttpListenerOptions {
  /** Null serves plaintext. */
  readonly tls: TlsFiles | null;
  /** Hears of everything that was refused before the Front: a fault code, and fixed text that is safe in logs. */
  readonly onRejected?: (code: string, reason: string) => void;
  /** Asked for each new connection; without room it is closed at once. */
  readonly hasRoom?: () => boolean;
}

// Clients that pipeline at all send up to ten; each one more is a request in flight that nobody can take back.
const MAX_PIPELINED = 16;

/**
 * Takes HTTP/1.1 requests on node:http: the plain driver, which works everywhere. It hands a request on when its header fields have come
 * and are beyond doubt, reads a body only where the Front asks for it, and refuses what is malformed without the Front hearing of it.
 */
export class HttpListener implements Listener<Socket> {
  readonly face = 'http';
  readonly #config: HttpListenConfig;
  readonly #house: House;
  readonly #server: HttpServer;
  /** As they were handed over, those that have not got as far as HTTP included. */
  readonly #sockets = new Set<Socket>();
  readonly #connections = new Set<HttpConnection>();
  #emptied: (() => void) | null = null;
  #drained: Promise<void> | null = null;

  constructor(config: HttpListenConfig, options: HttpListenerOptions, front: Front) {
    const { onRejected } = options;
    this.#config = config;
    this.#house = {
      front,
      maxRequests: config.maxRequestsPerConnection,
      writeStallMs: config.writeStallMs,
      onRejected: (rejection) => onRejected?.(rejection.kind.code, rejection.reason),
      draining: false,
      idleOver: false,
    };
    this.#server = makeServer(config, options.tls);
    if (options.hasRoom !== undefined) this.#shed(options.hasRoom);
    this.#wire(options.tls === null ? 'connection' : 'secureConnection');
    // This server never listens itself, and would not start the clock that ends slow requests.
    this.#server.emit('listening');
  }

  adopt(socket: Socket): void {
    if (this.#sockets.size >= this.#config.maxConnections) {
      this.#house.onRejected(HttpRejection.Connections);
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    // `on`, here and below: it comes once, and what `once` wraps around a listener is kept for each idle connection.
    socket.on('close', () => this.#forget(socket));
    // node:http decides by itself when its side ends; left alone, the socket would end it with the client's.
    socket.allowHalfOpen = true;
    this.#server.emit('connection', socket);
  }

  /** Ends the connections that had their answers. One that is new and silent may have its first request on the way. */
  closeIdle(): void {
    for (const connection of this.#connections) {
      if (connection.quiet && connection.requests > 0) connection.socket.destroy();
    }
  }

  drain(limits: DrainLimits): Promise<void> {
    this.#drained ??= this.#drain(limits);
    return this.#drained;
  }

  #drain({ graceMs, idleMs }: DrainLimits): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = (): void => {
      // At the end of the grace this cuts what is left. Without it, a socket may count as gone a little before it says so itself, and
      // its exchanges have to hear of it first.
      for (const connection of this.#connections) connection.cut();
      for (const socket of this.#sockets) socket.destroy();
      clearTimeout(grace);
      clearTimeout(idle);
      this.#server.close();
      resolve();
    };
    const grace = setTimeout(end, graceMs);
    this.#house.draining = true;
    const idle = setTimeout(() => this.#endQuiet(), Math.min(idleMs, graceMs));
    if (idleMs === 0) this.#endQuiet();
    this.#emptied = end;
    if (this.#sockets.size === 0) end();
    return promise;
  }

  /** From here on nobody is waited for who asks nothing. */
  #endQuiet(): void {
    this.#house.idleOver = true;
    for (const connection of this.#connections) {
      if (connection.quiet) connection.socket.destroy();
    }
  }

  #forget(socket: Socket): void {
    this.#sockets.delete(socket);
    if (this.#sockets.size === 0 && this.#emptied !== null) this.#emptied();
  }

  #wire(connected: 'connection' | 'secureConnection'): void {
    const server = this.#server;
    server.on(connected, (socket: Socket) => this.#connect(socket));
    server.on('request', (request, response) => this.#hear(request, response, false, null));
    // Without these two node:http asks for a body, or refuses an expectation, before anybody has looked at the request.
    server.on('checkContinue', (request, response) => this.#hear(request, response, true, null));
    server.on('checkExpectation', (request, response) => this.#hear(request, response, false, HttpRejection.Expectation));
    server.on('connect', (_request, socket) => this.#refuseTunnel(socket as Socket));
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#stumble(error.code ?? '', socket as Socket));
  }

  /** Before anything else is made for a connection, a TLS handshake included. */
  #shed(hasRoom: () => boolean): void {
    this.#server.prependListener('connection', (socket: Socket) => {
      if (hasRoom()) return;
      this.#house.onRejected(HttpRejection.Descriptors);
      socket.destroy();
    });
  }

  #connect(socket: Socket): void {
    if (socket.destroyed) return;
    const connection = new HttpConnection(socket);
    this.#connections.add(connection);
    socket.on('close', () => {
      this.#connections.delete(connection);
      connection.cut();
    });
  }

  #hear(request: HttpRequest, response: HttpResponse, awaitsContinue: boolean, known: Rejection | null): void {
    const connection = HttpConnection.of(request.socket)!;
    connection.heard(request);
    if (connection.ending) {
      // It comes behind an answer that ends the connection. node:http keeps each of these until then, so their number has a bound.
      if (++connection.unheard > MAX_PIPELINED) connection.socket.destroy();
      return;
    }
    const flaw = known ?? flawOf(connection, request);
    if (flaw !== null) {
      this.#reject(connection, response, flaw);
      return;
    }
    const head = new HttpHead(request.method!, request.url!, request.headers, connection.remoteAddress);
    new HttpExchange(this.#house, connection, head, response, awaitsContinue).begin();
  }

  #reject(connection: HttpConnection, response: HttpResponse, rejection: Rejection): void {
    const { headers, socket } = response.req;
    connection.ending = true;
    this.#house.onRejected(rejection);
    if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined) {
      // Its body is not worth reading, and may be no body at all.
      response.req.read(0);
      socket.destroySoon = lingerSoon;
    }
    endWithRejection(response, rejection);
  }

  #refuseTunnel(socket: Socket): void {
    // The parser has let go of the socket, and nobody else listens for its errors.
    socket.on('error', () => socket.destroy());
    const connection = HttpConnection.of(socket)!;
    if (connection.ending || connection.newest !== null) socket.destroy();
    else this.#refuseRaw(socket, HttpRejection.Connect);
  }

  /** What the parser or its clock could not go on with. node:http says so again with each further piece, so all of this may run twice. */
  #stumble(code: string, socket: Socket): void {
    const connection = HttpConnection.of(socket);
    if (connection === null || !socket.writable || !isOfParser(code)) {
      socket.destroy();
      return;
    }
    const isTimeout = code === 'ERR_HTTP_REQUEST_TIMEOUT';
    const newest = connection.newest;
    if (newest?.reading === true) {
      if (isTimeout) newest.timeOut();
      else socket.destroy();
      return;
    }
    // The answer that ends the connection is under way: what came after it is not listened to.
    if (connection.ending) return;
    if (newest !== null || connection.midBody || (isTimeout && connection.quiet)) {
      socket.destroy();
      return;
    }
    connection.ending = true;
    this.#refuseRaw(socket, rejectionFor(code));
  }

  #refuseRaw(socket: Socket, rejection: Rejection): void {
    this.#house.onRejected(rejection);
    socket.write(rejection.raw);
    linger(socket);
  }
}

function flawOf(connection: HttpConnection, request: HttpRequest): Rejection | null {
  if (request.httpVersionMajor !== 1 || request.httpVersionMinor > 1) return HttpRejection.Version;
  if (connection.live.length >= MAX_PIPELINED) return HttpRejection.Pipelined;
  return flawOfRequest(request.method!, request.url!, request.rawHeaders);
}

const isOfParser = (code: string): boolean => code.startsWith('HPE_') || code === 'ERR_HTTP_REQUEST_TIMEOUT';

function rejectionFor(code: string): Rejection {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return HttpRejection.HeadersTimeout;
  return code === 'HPE_HEADER_OVERFLOW' ? HttpRejection.HeaderBytes : HttpRejection.Syntax;
}
