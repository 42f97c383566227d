import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '::1'];

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Who may speak to the admin port: the holder of the token, under a host name that is ours, from no foreign page. */
export class AdminGate {
  readonly #token: Buffer;
  readonly #hosts: ReadonlySet<string>;

  constructor(options: { readonly token: string; readonly host: string; readonly allowedHosts: readonly string[] }) {
    this.#token = digest(options.token);
    this.#hosts = new Set([...LOOPBACK_NAMES, options.host, ...options.allowedHosts].map((host) => host.toLowerCase()));
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

  hasToken(request: IncomingMessage): boolean {
    const match = /^Bearer (\S{1,512})$/i.exec(request.headers.authorization ?? '');
    return match !== null && timingSafeEqual(digest(match[1]!), this.#token);
  }
}

/** The name in a Host field, without port and brackets. */
function nameOf(host: string): string {
  const bare = host.startsWith('[') ? host.slice(1, host.indexOf(']')) : host.replace(/:\d*$/, '');
  return bare.toLowerCase();
}
