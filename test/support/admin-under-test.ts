import { createHash } from 'node:crypto';
import { AdminServer, type AdminServerOptions } from '../../src/admin/admin-server.ts';
import type { AdminCaller, AdminHolder } from '../../src/core/admin-access.ts';
import type { ControlPlane } from '../../src/core/control-plane.ts';

/** An admin server on a free port, with a token for each role, and what it has told. */
export class AdminUnderTest {
  readonly errors: unknown[] = [];
  readonly denied: [string, Readonly<Record<string, string>>][] = [];
  readonly callers: AdminCaller[] = [];
  readonly holders: AdminHolder[] = [];
  readonly #server: AdminServer;
  #url = '';

  constructor(plane: ControlPlane, config: Partial<AdminServerOptions['config']> = {}) {
    this.#server = new AdminServer({
      config: { ...CONFIG, ...config },
      holders: () => this.holders,
      tls: null,
      plane,
      within: (caller, run) => {
        this.callers.push(caller);
        return run();
      },
      onDenied: (reason, fields) => this.denied.push([reason, fields]),
      onError: (error) => this.errors.push(error),
    });
  }

  /** The token of a new holder. */
  hold(name: string, role: string, expiresMs = Number.POSITIVE_INFINITY): string {
    const token = `token-of-${name}`;
    this.holders.push({ name, role, sha256: createHash('sha256').update(token).digest(), expiresMs });
    return token;
  }

  async listen(): Promise<void> {
    this.#url = `http://127.0.0.1:${await this.#server.listen()}`;
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  /** An empty token sends none. */
  ask(method: string, path: string, token: string, more: Ask = {}): Promise<Response> {
    const authorization: Record<string, string> = token === '' ? {} : { authorization: `Bearer ${token}` };
    const body = more.body === undefined ? null : JSON.stringify(more.body);
    return fetch(`${this.#url}/admin/v1/${path}`, { method, headers: { ...authorization, ...more.headers }, body });
  }
}

export interface Ask {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const CONFIG: AdminServerOptions['config'] = {
  host: '127.0.0.1',
  port: 0,
  tls: null,
  token: { env: 'X' },
  tokens: [],
  maxBodyBytes: 10_000,
  maxRequestsPerSecond: 1_000_000,
  maxIssuedKeys: 10,
  allowedHosts: [],
};

/** A control plane of which any part may be asked for anything: it fails, and counts that it was reached. */
export class UntouchedPlane {
  reached = 0;
  readonly plane: ControlPlane = this.#part() as ControlPlane;

  #part(): object {
    const part = (): never => {
      this.reached++;
      throw new Error('reached');
    };
    return new Proxy(part, { get: () => this.#part() });
  }
}
