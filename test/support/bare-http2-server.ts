import {
  createSecureServer,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2';
import type { AddressInfo } from 'node:net';

/** A gRPC server on node:http2 alone, so that a test may do on each stream what no well-behaved server does. */

export type OnCall = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, question: Buffer) => void;

export interface BareServer {
  /** host:port */
  readonly address: string;
  readonly sessions: readonly ServerHttp2Session[];
  /** Sessions ever. */
  readonly sessionCount: number;
  close(): Promise<void>;
}

export interface BareOptions {
  readonly settings?: Settings;
  readonly tls?: SecureServerOptions;
  /** Called on headers, before the question has come. */
  readonly onHeaders?: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;
}

export async function startBareServer(onCall: OnCall, options: BareOptions = {}): Promise<BareServer> {
  const { settings, tls } = options;
  const shared = settings === undefined ? {} : { settings };
  const server = tls === undefined ? createServer(shared) : createSecureServer({ ...shared, ...tls });
  const sessions: ServerHttp2Session[] = [];
  let sessionCount = 0;
  (server as Http2Server).on('session', (session) => {
    sessionCount++;
    sessions.push(session);
    session.on('error', () => undefined);
    session.on('close', () => sessions.splice(sessions.indexOf(session), 1));
  });
  (server as Http2Server).on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    options.onHeaders?.(stream, headers);
    const pieces: Buffer[] = [];
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('end', () => onCall(stream, headers, Buffer.concat(pieces)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    sessions,
    get sessionCount() {
      return sessionCount;
    },
    close: () =>
      new Promise((resolve) => {
        for (const session of sessions.slice()) session.destroy();
        server.close(() => resolve());
      }),
  };
}

/** A message with its head. */
export function framed(message: Uint8Array, flag = 0): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flag;
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

export const GRPC_HEAD = { ':status': 200, 'content-type': 'application/grpc' };

/** Messages, a status, and whatever else belongs to the trailers. */
export function answer(
  stream: ServerHttp2Stream,
  messages: readonly Uint8Array[],
  trailers: Record<string, string> = { 'grpc-status': '0' },
): void {
  stream.respond(GRPC_HEAD, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  for (const message of messages) stream.write(framed(message));
  stream.end();
}
