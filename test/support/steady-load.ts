import { Agent, request } from 'node:http';
import type { GatewayUnderTest } from './gateway-under-test.ts';

const BODY = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] });

/** One inference of model `m`, on a connection of the agent. Resolves with the status and the variant, the code of the fault or that of the error. */
export function askOnce(gateway: GatewayUnderTest, agent: Agent | false = false): Promise<string> {
  const headers = {
    authorization: `Bearer ${gateway.keys['alpha']}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(BODY),
  };
  return new Promise((resolve) => {
    const sent = request(`${gateway.httpUrl}/v2/models/m/infer`, { method: 'POST', headers, agent }, (response) => {
      let body = '';
      response.on('data', (piece: Buffer) => (body += piece.toString()));
      response.on('end', () => {
        const variant = response.headers['x-sluice-variant'];
        resolve(response.statusCode === 200 ? `200 ${variant}` : `${response.statusCode} ${/"code":"(\w+)"/.exec(body)?.[1]}`);
      });
      response.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    sent.end(BODY);
  });
}

/** Clients that ask one request after another until they are told to stop, and count what became of them. */
export class SteadyLoad {
  readonly outcomes = new Map<string, number>();
  readonly #clients: readonly Promise<void>[];
  #running = true;

  constructor(clients: number, ask: (client: number) => Promise<string>) {
    this.#clients = Array.from({ length: clients }, (_, client) => this.#run(() => ask(client)));
  }

  /** As clients that keep their connections, one each. */
  static overHttp(gateway: GatewayUnderTest, clients: number): SteadyLoad {
    const agents = Array.from({ length: clients }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    return new SteadyLoad(clients, (client) => askOnce(gateway, agents[client]!));
  }

  get total(): number {
    return [...this.outcomes.values()].reduce((sum, count) => sum + count, 0);
  }

  async stop(): Promise<Readonly<Record<string, number>>> {
    this.#running = false;
    await Promise.all(this.#clients);
    return Object.fromEntries(this.outcomes);
  }

  async #run(ask: () => Promise<string>): Promise<void> {
    while (this.#running) {
      const outcome = await ask();
      this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
    }
  }
}
