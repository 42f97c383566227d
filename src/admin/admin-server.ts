import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { AdminListenConfig } from '../config/listen-schema.ts';
import { isLoopback } from '../config/loopback.ts';
import type { AdminHolder } from '../core/admin-access.ts';
import type { ControlPlane } from '../core/control-plane.ts';
import { type AdminAnswer, json, problem } from './admin-answer.ts';
import { AdminDesk, type AdminDeskOptions } from './admin-desk.ts';
import { AdminGate } from './admin-gate.ts';
import { AdminRate } from './admin-rate.ts';
import { mayDo } from './roles.ts';

/** Connections at the same time: people, scripts and scrapers, never the public. */
const MAX_CONNECTIONS = 256;
const REQUEST_TIMEOUT_MS = 10_000;
/** Who asks too often is answered late and loses the connection: with so many connections a flood then gets so many answers a second. */
const TOO_OFTEN_WAIT_MS = 1_000;

export interface AdminServerOptions {
  readonly config: AdminListenConfig;
  /** Those of the config in force. */
  readonly holders: () => readonly AdminHolder[];
  /** Null serves plaintext, which config allows on loopback alone. */
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | null;
  readonly plane: ControlPlane;
  /** Has everything that `run` records name the caller. */
  readonly within: AdminDeskOptions['within'];
  /** Hears of a token that opens nothing, or whose role is not enough. */
  readonly onDenied: (reason: 'token' | 'role', fields: Readonly<Record<string, string>>) => void;
  /** Hears of errors nobody asked for. */
  readonly onError: (error: unknown) => void;
}

/** The control plane's own port: plans, backends, usage and metrics, with credentials of its own. */
export class AdminServer {
  readonly #o: AdminServerOptions;
  readonly #gate: AdminGate;
  readonly #desk: AdminDesk;
  readonly #server: Server;
  readonly #openMetrics: boolean;
  readonly #rate: AdminRate;
  /** The exposition being written now, shared by all who ask meanwhile: it takes milliseconds of the event loop. */
  #metrics: Promise<string> | null = null;

  constructor(options: AdminServerOptions) {
    this.#o = options;
    const { host, allowedHosts, maxRequestsPerSecond, maxBodyBytes } = options.config;
    const { holders, plane, within, onDenied } = options;
    this.#rate = new AdminRate(maxRequestsPerSecond);
    this.#gate = new AdminGate({ holders, host, allowedHosts, wallMs: () => Date.now() });
    this.#desk = new AdminDesk({ plane, maxBodyBytes, within, onDenied });
    // On loopback a scraper needs no token; beyond it the figures are for those whose role may view.
    this.#openMetrics = isLoopback(host);
    const answer: RequestListener = (request, response) => {
      this.#handle(request, response).catch((error: unknown) => {
        options.onError(error);
        send(response, problem(500, 'Internal Server Error', 'The gateway made a mistake.'));
      });
    };
    const timeouts = { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS };
    this.#server =
      options.tls === null ? createServer(timeouts, answer) : createTlsServer({ ...timeouts, ...options.tls }, answer);
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** Resolves with the port really bound. */
  listen(): Promise<number> {
    const { host, port } = this.#o.config;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => {
        reject(
          new Error(`The admin port ${host}:${port} cannot be opened (${error.code}); free it or set listen.admin.port.`, {
            cause: error,
          }),
        );
      });
      this.#server.listen(port, host, () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  /** Connections from here on get this certificate; null leaves it what it is. */
  renew(tls: AdminServerOptions['tls']): void {
    if (tls !== null && this.#server instanceof TlsServer) this.#server.setSecureContext(tls);
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const holder = this.#gate.holderOf(request);
    if (!this.#rate.take(holder !== null)) {
      await new Promise((done) => setTimeout(done, TOO_OFTEN_WAIT_MS).unref());
      const detail = `At most ${this.#o.config.maxRequestsPerSecond} requests a second are answered; see listen.admin.maxRequestsPerSecond.`;
      send(response, problem(429, 'Too Many Requests', detail, { 'retry-after': '1', connection: 'close' }));
      return;
    }
    if (!this.#gate.isOurHost(request)) {
      send(
        response,
        problem(421, 'Misdirected Request', 'The Host field names no host of this port; see listen.admin.allowedHosts.'),
      );
      return;
    }
    if (!this.#gate.isOurOrigin(request)) {
      send(response, problem(403, 'Forbidden', 'Pages of another origin may not call this port.'));
      return;
    }
    if (!URL.canParse(request.url ?? '', 'http://admin')) {
      send(response, problem(400, 'Bad Request', 'The request target is no path.'));
      return;
    }
    const url = new URL(request.url!, 'http://admin');
    const open = await this.#open(request, url.pathname, holder);
    if (open !== null) {
      send(response, open);
      return;
    }
    send(response, holder === null ? this.#unknown(request) : await this.#desk.answer(holder, request, url));
  }

  /** Says the same of a token that never was and of one that has expired. */
  #unknown({ headers, socket }: IncomingMessage): AdminAnswer {
    const sent = headers.authorization !== undefined;
    if (sent) this.#o.onDenied('token', { address: socket.remoteAddress ?? '' });
    const found = sent ? 'The token is unknown or has expired; send' : 'Found no token; send';
    return problem(401, 'Unauthorized', `${found} one of listen.admin as "Authorization: Bearer …".`, {
      'www-authenticate': 'Bearer',
    });
  }

  /** What needs no token: liveness for probes, and metrics on loopback. */
  async #open(request: IncomingMessage, path: string, holder: AdminHolder | null): Promise<AdminAnswer | null> {
    if (request.method !== 'GET') return null;
    if (path === '/healthz') {
      const ready = this.#o.plane.isReady();
      return json(ready ? 200 : 503, { ready });
    }
    if (path === '/metrics' && (this.#openMetrics || (holder !== null && mayDo(holder.role, 'view')))) {
      return {
        status: 200,
        contentType: 'text/plain; version=0.0.4; charset=utf-8',
        body: await this.#exposition(),
        headers: {},
        repeated: null,
      };
    }
    return null;
  }

  #exposition(): Promise<string> {
    this.#metrics ??= this.#o.plane.metrics().finally(() => {
      this.#metrics = null;
    });
    return this.#metrics;
  }
}

function send(response: ServerResponse, answer: AdminAnswer): void {
  if (response.headersSent || response.destroyed) return;
  const length = Buffer.byteLength(answer.body);
  response.writeHead(answer.status, {
    'content-type': answer.contentType,
    'content-length': length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...answer.headers,
  });
  response.end(answer.body);
}
