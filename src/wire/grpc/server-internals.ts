import type { Http2Server, Http2Session, ServerHttp2Stream, Settings } from 'node:http2';
import type { Server, ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { MessageDecoder } from './message-decoder.ts';

/**
 * The eight things this gateway needs of the package's server that it keeps to itself. The package's version is pinned, and all of them
 * are checked when a server is made or a test runs; nobody else reaches inside.
 */

interface ServerParts {
  http2Servers?: unknown;
  handlers?: unknown;
  commonServerOptions?: { settings?: Settings; strictFieldWhitespaceValidation?: boolean };
}

interface CallParts {
  readonly stream: ServerHttp2Stream;
  readonly deadlineTimer: NodeJS.Timeout | null;
  decoder: { readonly maxReadMessageLength?: unknown };
}

interface SocketParts {
  readonly _handle?: { readonly writeQueueSize?: unknown } | null;
}

/**
 * Lets calls to every path through to the interceptors. On its own the package answers unknown paths with UNIMPLEMENTED before anyone
 * has asked who calls, so strangers could list what is served, and no log line or metric would show that they tried.
 */
export function acceptAnyMethod(server: Server): void {
  const parts = server as unknown as ServerParts;
  if (!(parts.handlers instanceof Map)) throw new Error(changed('handlers'));
  parts.handlers = new AnyMethod();
}

/** Has HTTP/2 cut calls with more metadata than this, before any of it becomes a string. Clients are told the limit as a setting. */
export function limitMetadata(server: Server, maxBytes: number): void {
  const parts = server as unknown as ServerParts;
  if (parts.commonServerOptions === undefined) throw new Error(changed('commonServerOptions'));
  parts.commonServerOptions.settings = { ...parts.commonServerOptions.settings, maxHeaderListSize: maxBytes };
}

/**
 * Has HTTP/2 hand on fields whose value begins or ends with a blank. On its own it drops them in silence, and a caller who has sent a key
 * with a blank behind it would hear that there was none.
 */
export function keepBlankEnds(server: Server): void {
  const parts = server as unknown as ServerParts;
  if (parts.commonServerOptions === undefined) throw new Error(changed('commonServerOptions'));
  parts.commonServerOptions.strictFieldWhitespaceValidation = false;
}

/**
 * Ends connections that do not begin to speak HTTP/2 in time: the client's preface ends with its settings. After
 * `createConnectionInjector`, which makes the server behind it.
 */
export function limitPreface(server: Server): void {
  const { http2Servers } = server as unknown as ServerParts;
  if (!(http2Servers instanceof Map)) throw new Error(changed('http2Servers'));
  for (const http2Server of http2Servers.keys() as Iterable<Http2Server>) {
    http2Server.on('session', (session) => {
      const timer = setTimeout(() => session.destroy(), PREFACE_MS);
      const stop = (): void => clearTimeout(timer);
      session.once('remoteSettings', stop);
      session.once('close', stop);
    });
  }
}

/** Time for a client to say that it speaks HTTP/2. */
const PREFACE_MS = 10_000;

/** The HTTP/2 stream below a call: the only way to cut one, and to stop a client that goes on sending after its refusal. */
export function streamOf(call: ServerInterceptingCallInterface): ServerHttp2Stream {
  return (call as unknown as CallParts).stream;
}

/**
 * Stops the package from ending the call at its deadline: the gateway does so itself, with its own reason, and the package's timer
 * would win by being the older one.
 */
export function ownDeadline(call: ServerInterceptingCallInterface): void {
  const timer = (call as unknown as CallParts).deadlineTimer;
  if (timer !== null) clearTimeout(timer);
}

/** Bytes of a connection that the system has not taken yet; -1 where that cannot be known. */
export function unsentBytes(session: Http2Session): number {
  const bytes = (session.socket as unknown as SocketParts | undefined)?._handle?.writeQueueSize;
  return typeof bytes === 'number' ? bytes : -1;
}

/** Has the messages of a call put together piece by piece. Before any of its bytes is read. */
export function decodeSteadily(call: ServerInterceptingCallInterface): void {
  const parts = call as unknown as CallParts;
  const { maxReadMessageLength } = parts.decoder;
  if (typeof maxReadMessageLength !== 'number') throw new Error(changed('decoder'));
  (parts as { decoder: object }).decoder = new MessageDecoder(maxReadMessageLength);
}

/** A method table with a row for every path. */
class AnyMethod extends Map<string, unknown> {
  override get(path: string): unknown {
    return { type: 'unary', path, serialize: identity, deserialize: identity, func: unused };
  }
}

const identity = (bytes: Buffer): Buffer => bytes;

/** Handlers are never reached: the interceptor answers every call. */
const unused = (): void => undefined;

function changed(part: string): string {
  return `The gRPC package no longer has a server part called "${part}"; expected version 1.14. Pin it, or adapt server-internals.ts.`;
}
