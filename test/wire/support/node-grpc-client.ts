import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from 'node:http2';
import { NaiveMessages } from './naive-messages.ts';

/** A client of gRPC on node:http2, written for its own sake: it knows nothing of ours but what gRPC prescribes. */

/** gRPC's mapping of RST_STREAM, and of HTTP statuses; 13 and 2 for all else. */
const OF_RESET: Readonly<Record<number, number>> = { 7: 14, 8: 1, 11: 8, 12: 7 };
const OF_HTTP: Readonly<Record<number, number>> = { 400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14 };
const GRPC = /^application\/grpc([+;].*)?$/;
const UNAVAILABLE = 14;

export class NodeGrpcClient {
  readonly session: ClientHttp2Session;
  readonly calls: NodeCall[] = [];

  constructor(port: number) {
    const settings = { enablePush: false, initialWindowSize: 1_048_576, maxHeaderListSize: 32_768 };
    this.session = connect(`http://127.0.0.1:${port}`, { settings });
    this.session.on('error', () => undefined);
  }

  call(path: string, question: Buffer, isStream: boolean, maxMessageBytes: number): void {
    const fields = { ':method': 'POST', ':path': path, te: 'trailers', 'content-type': 'application/grpc' };
    const head = Buffer.alloc(5);
    head.writeUInt32BE(question.length, 1);
    const begin = (): ClientHttp2Stream => {
      const stream = this.session.request(fields, { endStream: false });
      stream.end(Buffer.concat([head, question]));
      return stream;
    };
    this.calls.push(new NodeCall(this.session, begin, isStream, maxMessageBytes));
  }
}

export class NodeCall {
  /** What has been told of it: messages, and how it ended. */
  readonly told: string[] = [];
  readonly #session: ClientHttp2Session;
  readonly #begin: () => ClientHttp2Stream;
  #stream: ClientHttp2Stream;
  readonly #isStream: boolean;
  readonly #messages: NaiveMessages;
  #answer: Buffer | null = null;
  #status = -1;
  #over = false;
  #headed = false;
  #begunAgain = false;

  constructor(session: ClientHttp2Session, begin: () => ClientHttp2Stream, isStream: boolean, maxMessageBytes: number) {
    this.#session = session;
    this.#begin = begin;
    this.#isStream = isStream;
    this.#messages = new NaiveMessages(maxMessageBytes, null);
    this.#stream = this.#listen();
  }

  #listen(): ClientHttp2Stream {
    const stream = this.#begin();
    stream.on('error', () => undefined);
    stream.on('response', (headers, flags) => this.#takeHead(headers, (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0));
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.on('trailers', (trailers) => this.#takeTrailers(trailers));
    stream.on('end', () => this.#finish());
    stream.on('close', () => this.#closed());
    return stream;
  }

  #takeHead(headers: IncomingHttpHeaders & IncomingHttpStatusHeader, last: boolean): void {
    this.#headed = true;
    const status = headers['grpc-status'];
    if (last && status !== undefined) this.#status = statusOf(status);
    else if (headers[':status'] !== 200) this.#end(OF_HTTP[headers[':status']!] ?? 2, constants.NGHTTP2_CANCEL);
    else if (!GRPC.test(headers['content-type'] ?? '')) this.#end(2, constants.NGHTTP2_CANCEL);
    else if (last) this.#end(13, constants.NGHTTP2_NO_ERROR);
  }

  #take(chunk: Buffer): void {
    for (const message of this.#over ? [] : this.#messages.add(chunk)) {
      if (this.#isStream) this.told.push(`message ${message.toString('hex')}`);
      else if (this.#answer === null) this.#answer = message;
      else {
        this.#end(12, constants.NGHTTP2_CANCEL);
        return;
      }
    }
    const { status } = this.#messages;
    if (status > 0) this.#end(status, status === 8 ? constants.NGHTTP2_CANCEL : constants.NGHTTP2_PROTOCOL_ERROR);
  }

  #takeTrailers(trailers: IncomingHttpHeaders): void {
    this.#status = statusOf(trailers['grpc-status'] ?? 'none');
  }

  #finish(): void {
    // Of a stream that was reset the end is told as well.
    if (this.#over || (this.#stream.rstCode ?? 0) !== 0) return;
    if (this.#status < 0) this.#end(13, constants.NGHTTP2_CANCEL);
    else if (this.#status > 0) this.#end(this.#status, constants.NGHTTP2_CANCEL);
    else if (this.#messages.isPartial) this.#end(13, constants.NGHTTP2_PROTOCOL_ERROR);
    else if (!this.#isStream && this.#answer === null) this.#end(12, constants.NGHTTP2_CANCEL);
    else {
      if (this.#answer !== null) this.told.push(`message ${this.#answer.toString('hex')}`);
      this.#end(0, constants.NGHTTP2_CANCEL);
    }
  }

  #closed(): void {
    const code = this.#stream.rstCode ?? 0;
    const isRefused = code === constants.NGHTTP2_REFUSED_STREAM && !this.#headed;
    if (isRefused && !this.#over && !this.#begunAgain && !this.#session.closed) {
      this.#begunAgain = true;
      this.#stream = this.#listen();
      return;
    }
    // A session that ends takes its streams with it, and says CANCEL of them.
    this.#end(this.#session.destroyed ? UNAVAILABLE : (OF_RESET[code] ?? 13), constants.NGHTTP2_NO_ERROR);
  }

  #end(status: number, code: number): void {
    if (this.#over) return;
    this.#over = true;
    this.told.push(`status ${status}`);
    if (!this.#stream.closed && code !== constants.NGHTTP2_NO_ERROR) this.#stream.close(code);
  }
}

function statusOf(text: unknown): number {
  return /^\d{1,9}$/.test(String(text)) ? Number(text) : 2;
}
