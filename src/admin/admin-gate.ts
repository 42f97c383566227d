import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { AdminHolder } from '../core/admin-access.ts';

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '::1'];

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

export interface AdminGateOptions {
  /** Those of the config in force; another list after a reload. */
  readonly holders: () => readonly AdminHolder[];
  readonly host: string;
  readonly allowedHosts: readonly string[];
  readonly wallMs: () => number;
}

/** Who may speak to the admin port: the holder of a token, under a host name that is ours, from no foreign page. */
export class AdminGate {
  readonly #o: AdminGateOptions;
  readonly #hosts: ReadonlySet<string>;

  constructor(options: AdminGateOptions) {
    this.#o = options;
    const { host, allowedHosts } = options;
    this.#hosts = new Set([...LOOPBACK_NAMES, host, ...allowedHosts].map((name) => name.toLowerCase()));
  }

  /** A name that resolves here without being ours is a DNS rebinding attempt; an address resolves to nothing but itself. */
  isOurHost(request: IncomingMessage): boolean {
    const { host } = request.headers;
    if (host === undefined) return false;
    const name = nameOf(host);
    return isIP(name) !== 0 || this.#hosts.has(name);
  }

  /** Browsers send Origin; a page of another site has no business here. */
  isOurOrigin(request: IncomingMessage): boolean {
    const origin = request.headers.origin;
    if (origin === undefined) return true;
    return URL.canParse(origin) && new URL(origin).host === request.headers.host;
  }

  /** Null without a token that opens. Each one there is is compared, so that time tells nobody which of them exist. */
  holderOf(request: IncomingMessage): AdminHolder | null {
    const match = /^Bearer (\S{1,512})$/i.exec(request.headers.authorization ?? '');
    if (match === null) return null;
    const sha256 = digest(match[1]!);
    let found: AdminHolder | null = null;
    for (const holder of this.#o.holders()) {
      if (timingSafeEqual(holder.sha256, sha256)) found = holder;
    }
    return found === null || this.#o.wallMs() >= found.expiresMs ? null : found;
  }
}

/** The name in a Host field, without port and brackets. */
function nameOf(host: string): string {
  const bare = host.startsWith('[') ? host.slice(1, host.indexOf(']')) : host.replace(/:\d*$/, '');
  return bare.toLowerCase();
}
