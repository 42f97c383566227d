/** Sends errands as an application does over REST: node:http with connections kept alive. */

import { Agent, type IncomingMessage, request } from 'node:http';
import { CALL_LIMIT_MS, type Caller, type Errand, type Outcome } from './errand.ts';
import { restBody } from './sample-input.ts';

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

interface RestOutput {
  readonly name: string;
  readonly data: readonly number[];
}

export class RestCaller implements Caller {
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(url: string) {
    this.#url = url;
  }

  async send(errand: Errand): Promise<Outcome> {
    const body = restBody(errand.input);
    const startedMs = performance.now();
    const answer = await this.#post(errand, body);
    const latencyMs = performance.now() - startedMs;
    const json = JSON.parse(answer.body) as { outputs?: readonly RestOutput[]; error?: string; code?: string };
    const field = (name: string): string => String(answer.headers[name] ?? '');
    return {
      errand,
      status: String(answer.status),
      fault: json.code ?? '',
      message: json.error ?? '',
      variant: field('x-sluice-variant'),
      cache: field('x-sluice-cache'),
      costNano: Number(field('x-sluice-cost-nano-usd')),
      label: json.outputs?.find((output) => output.name === 'label')?.data[0] ?? -1,
      latencyMs,
    };
  }

  close(): void {
    this.#agent.destroy();
  }

  #post(errand: Errand, body: string): Promise<Answer> {
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'x-sluice-session': errand.caller,
      ...(errand.key === '' ? {} : { authorization: `Bearer ${errand.key}` }),
    };
    const url = new URL(`/v2/models/${errand.model}/infer`, this.#url);
    const signal = AbortSignal.timeout(CALL_LIMIT_MS);
    return new Promise((resolve, reject) => {
      const sent = request(url, { method: 'POST', agent: this.#agent, headers, signal }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (piece: string) => {
          text += piece;
        });
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: text }));
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }
}
