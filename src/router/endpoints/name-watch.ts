import type { EndpointAddress, Lookup } from '../../core/endpoints.ts';
import { jittered } from './jitter.ts';

/** One endpoint as config has it. */
export interface EndpointName {
  /** `host:port` or a URL. */
  readonly name: string;
  /** To be looked up; empty where the name holds an IP address. */
  readonly host: string;
}

export interface NameWatchOptions {
  readonly names: readonly EndpointName[];
  readonly lookup: Lookup;
  readonly resolveMs: number;
  readonly random: () => number;
  /** The addresses of all names; only when they have changed. */
  readonly onAddresses: (addresses: readonly EndpointAddress[]) => void;
  /** A name gave nothing that can be used; not told again before it has changed. */
  readonly onUnresolved: (name: string, reason: string) => void;
}

/** Addresses of one name that are used: beyond that something is wrong with the name, or a load balancer should stand there. */
const MAX_ADDRESSES = 256;

/** Knows which addresses the names of a backend stand for. A name that gives none keeps those it had last. */
export class NameWatch {
  readonly #o: NameWatchOptions;
  readonly #found = new Map<string, readonly string[]>();
  readonly #problems = new Map<string, string>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #closed = false;

  constructor(options: NameWatchOptions) {
    this.#o = options;
  }

  /** Looks every name up now, and tells the addresses if they have changed. Never rejects. */
  async resolve(): Promise<void> {
    const names = this.#o.names.filter(({ host }) => host !== '');
    await Promise.all(names.map((name) => this.#ask(name)));
  }

  /** Why names gave nothing the last time. */
  problems(): string[] {
    return [...this.#problems.values()];
  }

  /** Goes on looking. */
  start(): void {
    for (const name of this.#o.names) if (name.host !== '') this.#schedule(name);
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  /** What the names stand for, in their order. */
  addresses(): EndpointAddress[] {
    return this.#o.names.flatMap(({ name, host }) => {
      if (host === '') return [{ name, ip: '' }];
      return (this.#found.get(name) ?? []).map((ip) => ({ name, ip }));
    });
  }

  #schedule(name: EndpointName): void {
    if (this.#closed) return;
    const timer = setTimeout(() => void this.#ask(name).then(() => this.#schedule(name)), this.#nextMs());
    clearTimeout(this.#timers.get(name.name));
    this.#timers.set(name.name, timer);
  }

  #nextMs(): number {
    return jittered(this.#o.resolveMs, this.#o.random);
  }

  async #ask({ name, host }: EndpointName): Promise<void> {
    let found: readonly string[];
    try {
      found = await this.#o.lookup(host);
    } catch (error) {
      this.#unresolved(
        name,
        `"${host}" could not be looked up: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`,
      );
      return;
    }
    if (this.#closed) return;
    // Sorted, since servers of names hand their addresses out in turns.
    const ips = [...new Set(found)].sort();
    if (ips.length === 0) {
      this.#unresolved(name, `"${host}" stands for no address`);
      return;
    }
    if (ips.length > MAX_ADDRESSES) {
      this.#unresolved(name, `"${host}" stands for ${ips.length} addresses; the first ${MAX_ADDRESSES} are used`);
      ips.length = MAX_ADDRESSES;
    } else this.#problems.delete(name);
    if (String(this.#found.get(name)) === String(ips)) return;
    this.#found.set(name, ips);
    this.#o.onAddresses(this.addresses());
  }

  #unresolved(name: string, reason: string): void {
    if (this.#closed || this.#problems.get(name) === reason) return;
    this.#problems.set(name, reason);
    this.#o.onUnresolved(name, reason);
  }
}
