import { createServer, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { MAX_MESSAGE_BYTES, PATHS } from './echo-paths.ts';
import { NaiveMessages } from './naive-messages.ts';
import type { EchoServer } from './own-echo-server.ts';

/** The same on node:http2, written for its own sake: it knows nothing of ours but what gRPC prescribes. */
export async function startNodeEchoServer(): Promise<EchoServer> {
  const sessions = new Set<ServerHttp2Session>();
  let open = 0;
  const server = createServer({
    settings: { headerTableSize: 4_096, maxConcurrentStreams: 100, initialWindowSize: 262_144, maxHeaderListSize: 16_384 },
  });
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => undefined);
    session.on('close', () => sessions.delete(session));
  });
  server.on('sessionError', () => undefined);
  server.on('stream', (stream, headers) => {
    open++;
    stream.on('error', () => undefined);
    stream.on('close', () => open--);
    serve(stream, headers);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    open: () => open,
    close: () => {
      for (const session of sessions) session.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

const GRPC = /^application\/grpc([+;].*)?$/;
const TIMEOUT = /^\d{1,8}[HMSmun]$/;
const HEAD = { ':status': 200, 'content-type': 'application/grpc+proto' };

function serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  if (headers[':method'] !== 'POST') plain(stream, 405, 'This port speaks gRPC: expected method POST.\n', headers[':method']);
  else if (!GRPC.test(headers['content-type'] ?? '')) {
    plain(stream, 415, 'This port speaks gRPC: expected content-type application/grpc.\n', 'POST');
  } else new Call(stream, headers);
}

function plain(stream: ServerHttp2Stream, status: number, text: string, method: unknown): void {
  const head = { ':status': status, 'content-type': 'text/plain', 'content-length': text.length };
  stream.resume();
  if (method === 'HEAD') stream.respond(head, { endStream: true });
  else {
    stream.respond(head);
    stream.end(text);
  }
}

class Call {
  readonly #stream: ServerHttp2Stream;
  readonly #path: string;
  readonly #mark: string;
  readonly #messages: NaiveMessages;
  readonly #whole: Buffer[] = [];
  #trailers: Record<string, string> = {};
  #over = false;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    this.#stream = stream;
    this.#path = headers[':path']!;
    this.#mark = [headers['x-mark'] ?? ''].flat().join(', ');
    this.#messages = new NaiveMessages(MAX_MESSAGE_BYTES, String(headers['grpc-encoding'] ?? ''));
    stream.on('wantTrailers', () => stream.sendTrailers(this.#trailers));
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.on('end', () => this.#end());
    if (this.#path === PATHS.stream) stream.respond(HEAD, { waitForTrailers: true });
    if (headers['grpc-timeout'] !== undefined && !TIMEOUT.test(String(headers['grpc-timeout']))) this.#fail(13);
    else if (this.#path === PATHS.refuse) this.#fail(7, { 'x-mark': this.#mark });
  }

  #take(chunk: Buffer): void {
    if (this.#over || this.#stream.closed || this.#stream.destroyed) return;
    for (const message of this.#messages.add(chunk)) {
      if (this.#path === PATHS.stream) this.#stream.write(framed(message));
      else if (this.#whole.push(message) > 1) {
        this.#fail(3);
        return;
      }
    }
    if (this.#messages.status > 0) this.#fail(this.#messages.status);
  }

  #end(): void {
    // Of a stream that was reset the end is told as well.
    if (this.#over || this.#stream.closed || this.#stream.destroyed) return;
    if (this.#messages.isPartial) this.#fail(13);
    else if (this.#path === PATHS.stream) this.#finish({ 'grpc-status': '0', 'x-mark': this.#mark });
    else if (this.#whole.length === 0) this.#fail(3);
    else if (this.#path !== PATHS.never) {
      this.#stream.respond({ ...HEAD, 'x-mark': this.#mark }, { waitForTrailers: true });
      this.#stream.write(framed(this.#whole[0]!));
      this.#finish({ 'grpc-status': '0' });
    }
  }

  #fail(status: number, more: Record<string, string> = {}): void {
    this.#over = true;
    if (this.#stream.headersSent) this.#finish({ 'grpc-status': String(status), ...more });
    else this.#stream.respond({ ...HEAD, 'grpc-status': String(status), ...more }, { endStream: true });
  }

  #finish(trailers: Record<string, string>): void {
    this.#over = true;
    this.#trailers = trailers;
    this.#stream.end();
  }
}

function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
