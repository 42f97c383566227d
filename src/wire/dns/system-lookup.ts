import { lookup } from 'node:dns/promises';

/** Look-ups at the same time: each keeps one of the four threads that files are read and written on as well. */
const MAX_RUNNING = 2;

type SystemCall = (host: string) => Promise<readonly string[]>;

/**
 * Addresses of host names as the system finds them. Not by asking name servers from here, which would need no thread: `curl` on the same
 * machine must find what this finds, and hosts files (of containers too), search domains, mDNS and whatever else nsswitch.conf names are
 * known to the system alone. A name server that is silent keeps a thread for as long as resolv.conf says. Callers that ask for a name that
 * is being looked up share the answer, so there are never more look-ups than names.
 */
export class SystemLookup {
  readonly #ask: SystemCall;
  readonly #asked = new Map<string, Promise<readonly string[]>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(ask: SystemCall = askSystem) {
    this.#ask = ask;
  }

  /** Rejects with the system's error when it finds none. */
  lookup(host: string): Promise<readonly string[]> {
    let asked = this.#asked.get(host);
    if (asked === undefined) {
      asked = this.#inTurn(host).finally(() => this.#asked.delete(host));
      this.#asked.set(host, asked);
    }
    return asked;
  }

  async #inTurn(host: string): Promise<readonly string[]> {
    if (this.#running === MAX_RUNNING) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await this.#ask(host);
    } finally {
      // The turn passes on without being given back, so that nobody can come in between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}

async function askSystem(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true, order: 'verbatim' })).map(({ address }) => address);
}
