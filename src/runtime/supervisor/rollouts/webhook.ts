import { createHmac } from 'node:crypto';
import type { WebhookConfig } from '../../../config/rollout-schema.ts';
import type { SetAlarm } from '../../../limits/alarm.ts';

/** What became of an event, as the metric says it. */
export type DeliveryOutcome = 'delivered' | 'failed' | 'dropped';

/** Anything with an id that can be said in JSON. */
export interface Deliverable {
  readonly id: string;
}

export interface WebhookOptions {
  readonly config: Omit<WebhookConfig, 'secret'>;
  /** Key of the signature; empty signs nothing. */
  readonly secret: string;
  readonly wallMs: () => number;
  readonly setAlarm: SetAlarm;
  /** 0 to 1, so that gateways which lost the same receiver do not come back to it together. */
  readonly random: () => number;
  readonly ended: (id: string, outcome: DeliveryOutcome, problem: string) => void;
}

/**
 * Delivers events to one address, one after another and in their order, each tried again after growing waits up to a bound. Whoever hands
 * one over waits for nothing. Header fields follow Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`.
 */
export class Webhook {
  readonly #o: WebhookOptions;
  readonly #queue: Deliverable[] = [];
  readonly #cut = new AbortController();
  #tries = 0;
  #busy = false;
  #stopAlarm: () => void = () => undefined;
  #closed = false;

  constructor(options: WebhookOptions) {
    this.#o = options;
  }

  get length(): number {
    return this.#queue.length;
  }

  send(event: Deliverable): void {
    if (this.#closed) {
      this.#o.ended(event.id, 'dropped', SHUTTING_DOWN);
      return;
    }
    this.#queue.push(event);
    // The newest say best how things stand. The first may be on its way, and counts as waiting.
    if (this.#queue.length > this.#o.config.maxQueued) {
      const [dropped] = this.#queue.splice(this.#busy ? 1 : 0, 1);
      this.#o.ended(dropped!.id, 'dropped', 'too many events wait');
    }
    void this.#next();
  }

  /** Gives up what has not been delivered, and says why. */
  close(reason: string): void {
    this.#closed = true;
    this.#stopAlarm();
    this.#cut.abort();
    for (const { id } of this.#queue.splice(0)) this.#o.ended(id, 'dropped', reason);
  }

  async #next(): Promise<void> {
    const event = this.#queue[0];
    if (this.#busy || event === undefined) return;
    this.#busy = true;
    this.#tries++;
    const { problem, again } = await this.#try(event);
    if (this.#closed) return;
    if (problem !== '' && again && this.#tries < this.#o.config.maxTries) {
      this.#stopAlarm = this.#o.setAlarm(this.#waitMs(), () => {
        this.#busy = false;
        void this.#next();
      });
      return;
    }
    this.#queue.shift();
    this.#tries = 0;
    this.#busy = false;
    this.#o.ended(event.id, problem === '' ? 'delivered' : 'failed', problem);
    void this.#next();
  }

  /** Between half of the wait and all of it. */
  #waitMs(): number {
    const { firstRetryMs, longestRetryMs } = this.#o.config;
    const ms = Math.min(firstRetryMs * 2 ** (this.#tries - 1), longestRetryMs);
    return Math.ceil(ms * (0.5 + this.#o.random() / 2));
  }

  /** Why it was not taken, empty when it was; and whether another try may help. */
  async #try(event: Deliverable): Promise<{ readonly problem: string; readonly again: boolean }> {
    const { url, timeoutMs } = this.#o.config;
    const body = JSON.stringify(event);
    try {
      const response = await fetch(url, {
        method: 'POST',
        // What is sent is for this address and no other.
        redirect: 'manual',
        signal: AbortSignal.any([this.#cut.signal, AbortSignal.timeout(timeoutMs)]),
        headers: { 'content-type': 'application/cloudevents+json; charset=utf-8', ...this.#marks(event.id, body) },
        body,
      });
      // Its status has said it all: a body that never ends must not make it be sent again.
      await drain(response).catch(() => undefined);
      if (response.ok) return { problem: '', again: false };
      const again = response.status >= 500 || response.status === 408 || response.status === 429;
      return { problem: `it answered ${response.status}`, again };
    } catch (error) {
      return { problem: problemOf(error as Error, timeoutMs), again: true };
    }
  }

  #marks(id: string, body: string): Record<string, string> {
    const { secret, wallMs } = this.#o;
    const timestamp = String(Math.trunc(wallMs() / 1000));
    const marks = { 'webhook-id': id, 'webhook-timestamp': timestamp };
    if (secret === '') return marks;
    const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64');
    return { ...marks, 'webhook-signature': `v1,${signature}` };
  }
}

function problemOf({ name, cause }: Error, timeoutMs: number): string {
  if (name === 'TimeoutError') return `no answer within ${timeoutMs} ms`;
  // The message of the error itself is no more than that the fetch failed.
  const { code, message } = (cause ?? {}) as Partial<NodeJS.ErrnoException>;
  return code ?? message ?? name;
}

/** Nobody reads what a receiver says: to its end, so that the connection can be used again, but not on and on. */
async function drain({ body }: Response): Promise<void> {
  if (body === null) return;
  let size = 0;
  for await (const piece of body) {
    size += piece.length;
    if (size > MAX_ANSWER_BYTES) return;
  }
}

const MAX_ANSWER_BYTES = 65_536;

export const SHUTTING_DOWN = 'the gateway is shutting down';
