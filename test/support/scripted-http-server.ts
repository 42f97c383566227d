import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

/** An HTTP/1.1 server whose every answer a test decides. Plain or TLS, in this process, on a port of its own. */

/** One request as it came in, body included. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export type HttpScript =
  /** Each chunk is written by itself. */
  | {
      readonly is: 'answer';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly chunks: readonly Uint8Array[];
    }
  | { readonly is: 'hang' }
  /** These bytes as they are in place of an answer, then the connection dies. */
  | { readonly is: 'cut'; readonly bytes: Uint8Array };

export interface ScriptedHttpOptions {
  /** A promise delays the answer. */
  readonly onRequest: (request: SeenRequest) => HttpScript | Promise<HttpScript>;
  /** A free one is taken when none is given. */
  readonly port?: number;
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer; readonly clientCa?: Buffer };
}

export interface ScriptedHttpServer {
  /** `http://127.0.0.1:port`, or https. */
  readonly url: string;
  readonly port: number;
  /** Requests in the order they came. */
  readonly requests: readonly SeenRequest[];
  /** Requests that the client gave up before their answer. */
  readonly cancels: readonly SeenRequest[];
  /** Connections ever. */
  readonly connections: number;
  /** Resolves when so many requests have come that end so. */
  called(count: number, ending?: string): Promise<void>;
  /** Resolves when so many have been given up. */
  cancelled(count: number): Promise<void>;
  /** Resets every connection and stops listening. */
  close(): Promise<void>;
}

export const answerNever: HttpScript = { is: 'hang' };
export const cut = (bytes: Uint8Array | string = ''): HttpScript => ({ is: 'cut', bytes: Buffer.from(bytes) });

export function answer(status: number, body: Uint8Array | string = '', headers: Record<string, string> = {}): HttpScript {
  return { is: 'answer', status, headers, chunks: [Buffer.from(body)] };
}

export function answerJson(value: unknown, status = 200): HttpScript {
  return answer(status, JSON.stringify(value), { 'content-type': 'application/json' });
}

export async function startScriptedHttpServer(options: ScriptedHttpOptions): Promise<ScriptedHttpServer> {
  const server = new RunningServer(options);
  await server.listen();
  return server;
}

class RunningServer implements ScriptedHttpServer {
  url = '';
  port = 0;
  connections = 0;
  readonly requests: SeenRequest[] = [];
  readonly cancels: SeenRequest[] = [];
  readonly #options: ScriptedHttpOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #waiting: { readonly done: () => boolean; readonly resolve: () => void }[] = [];

  constructor(options: ScriptedHttpOptions) {
    this.#options = options;
    const onRequest = (request: IncomingMessage, response: ServerResponse): void => void this.#take(request, response);
    const { tls } = options;
    this.#server =
      tls === undefined
        ? createServer(onRequest)
        : createTlsServer(
            tls.clientCa === undefined
              ? { cert: tls.cert, key: tls.key }
              : { cert: tls.cert, key: tls.key, ca: tls.clientCa, requestCert: true },
            onRequest,
          );
    this.#server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port ?? 0, '127.0.0.1', () => {
        this.port = (this.#server.address() as AddressInfo).port;
        this.url = `${this.#options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.port}`;
        resolve();
      });
    });
  }

  called(count: number, ending = ''): Promise<void> {
    return this.#until(() => this.requests.filter((request) => request.path.endsWith(ending)).length >= count);
  }

  cancelled(count: number): Promise<void> {
    return this.#until(() => this.cancels.length >= count);
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return; // The client left amid its body.
    }
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const seen: SeenRequest = { method: request.method!, path: request.url!, headers, body: Buffer.concat(chunks) };
    let isCut = false;
    response.once('close', () => {
      if (!response.writableEnded && !isCut) this.#note(this.cancels, seen);
    });
    this.#note(this.requests, seen);
    const script = await this.#options.onRequest(seen);
    if (script.is === 'hang' || response.destroyed) return;
    if (script.is === 'cut') {
      isCut = true;
      request.socket.write(script.bytes);
      request.socket.end();
      return;
    }
    response.writeHead(script.status, script.headers);
    for (const chunk of script.chunks) {
      response.write(chunk);
      if (script.chunks.length > 1) await new Promise((done) => setImmediate(done));
    }
    response.end();
  }

  #note(list: SeenRequest[], request: SeenRequest): void {
    list.push(request);
    const met = this.#waiting.filter((waiting) => waiting.done());
    this.#waiting = this.#waiting.filter((waiting) => !met.includes(waiting));
    for (const waiting of met) waiting.resolve();
  }

  #until(done: () => boolean): Promise<void> {
    if (done()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ done, resolve }));
  }
}
