import type { Signature } from '../../core/signature.ts';
import type { Endpoint } from './endpoint.ts';
import type { ProbeSettings } from './endpoint-settings.ts';
import { jittered } from './jitter.ts';

export interface HealthRoundsOptions {
  /** Null asks only those that are not warm yet. */
  readonly probe: ProbeSettings | null;
  readonly random: () => number;
  /** An endpoint has stated its signature; an empty text lets it in, any other says why not. */
  readonly onWarm: (endpoint: Endpoint, signature: Signature) => string;
  readonly onCold: (endpoint: Endpoint, reason: string) => void;
  readonly onProbed: (endpoint: Endpoint, isGood: boolean) => void;
}

/** Time between tries to warm an endpoint that is not probed. */
const WARM_AGAIN_MS = 1_000;

/** Looks after the endpoints of a backend one by one: warms what is cold and probes what is warm, never twice at the same time. */
export class HealthRounds {
  readonly #o: HealthRoundsOptions;
  readonly #timers = new Map<Endpoint, NodeJS.Timeout>();
  readonly #probing = new Map<Endpoint, Promise<boolean>>();
  readonly #warming = new Map<Endpoint, Promise<Signature>>();
  readonly #looking = new Set<Endpoint>();
  #closed = false;

  constructor(options: HealthRoundsOptions) {
    this.#o = options;
  }

  /** Looks after an endpoint from now on: at once at one that is cold, at a warm one at any moment of its interval. */
  watch(endpoint: Endpoint): void {
    if (this.#timers.has(endpoint) || this.#looking.has(endpoint)) return;
    this.#schedule(endpoint, isWarm(endpoint) ? this.#o.random() * (this.#o.probe?.intervalMs ?? 0) : 0);
  }

  forget(endpoint: Endpoint): void {
    clearTimeout(this.#timers.get(endpoint));
    this.#timers.delete(endpoint);
  }

  /** Looks at once at an endpoint that is watched, unless that is happening. */
  hurry(endpoint: Endpoint): void {
    if (this.#timers.has(endpoint) && !this.#looking.has(endpoint)) this.#schedule(endpoint, 0);
  }

  /** Asks an endpoint for its signature; who asks while it is being asked shares the answer. Rejects with why it cannot be used. */
  warm(endpoint: Endpoint): Promise<Signature> {
    let asked = this.#warming.get(endpoint);
    if (asked === undefined) {
      asked = this.#warm(endpoint).finally(() => this.#warming.delete(endpoint));
      this.#warming.set(endpoint, asked);
    }
    return asked;
  }

  /** Whether the endpoint says now that it is ready; who asks while it is being asked shares the answer. */
  probe(endpoint: Endpoint, timeoutMs: number): Promise<boolean> {
    let asked = this.#probing.get(endpoint);
    if (asked === undefined) {
      asked = endpoint.backend.probe(timeoutMs).finally(() => this.#probing.delete(endpoint));
      this.#probing.set(endpoint, asked);
    }
    return asked;
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  async #warm(endpoint: Endpoint): Promise<Signature> {
    let signature: Signature;
    try {
      signature = await endpoint.backend.warm();
    } catch (error) {
      if (!this.#closed) this.#o.onCold(endpoint, (error as Error).message);
      throw error;
    }
    const difference = this.#closed ? 'the backend is closed' : this.#o.onWarm(endpoint, signature);
    if (difference !== '') throw new Error(difference);
    return signature;
  }

  #schedule(endpoint: Endpoint, afterMs: number): void {
    if (this.#closed) return;
    clearTimeout(this.#timers.get(endpoint));
    const timer = setTimeout(() => void this.#look(endpoint), afterMs);
    this.#timers.set(endpoint, timer);
  }

  async #look(endpoint: Endpoint): Promise<void> {
    this.#looking.add(endpoint);
    try {
      if (!isWarm(endpoint)) await this.#tryToWarm(endpoint);
      else if (this.#o.probe !== null) await this.#tryToReach(endpoint, this.#o.probe);
    } finally {
      this.#looking.delete(endpoint);
      // Whoever forgot the endpoint meanwhile has taken its timer away.
      if (this.#timers.has(endpoint)) this.#lookAgain(endpoint);
    }
  }

  #lookAgain(endpoint: Endpoint): void {
    if (this.#o.probe === null && isWarm(endpoint)) this.#timers.delete(endpoint);
    else this.#schedule(endpoint, this.#nextMs(endpoint));
  }

  async #tryToReach(endpoint: Endpoint, probe: ProbeSettings): Promise<void> {
    let isGood = await this.probe(endpoint, probe.timeoutMs);
    if (this.#closed || !isWarm(endpoint)) return;
    // What comes back after a while may be another model: it states its signature before it is let in again.
    if (isGood && endpoint.probes.almostHealthy) isGood = await this.#tryToWarm(endpoint);
    if (!this.#closed && isWarm(endpoint)) this.#o.onProbed(endpoint, isGood);
  }

  async #tryToWarm(endpoint: Endpoint): Promise<boolean> {
    try {
      await this.warm(endpoint);
      return true;
    } catch {
      // Noted where it came from; the next round tries again.
      return false;
    }
  }

  #nextMs(endpoint: Endpoint): number {
    const { probe, random } = this.#o;
    if (probe === null) return jittered(WARM_AGAIN_MS, random);
    const isWell = endpoint.standing.is === 'open' && endpoint.probes.healthy && endpoint.probes.lastGood;
    return jittered(isWell ? probe.intervalMs : probe.recoveryMs, random);
  }
}

const isWarm = ({ standing: { is } }: Endpoint): boolean => is !== 'warming' && is !== 'mismatched';
