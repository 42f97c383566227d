import { Agent, request } from 'node:http';
import { type GrpcCaller, rawOutputs } from './clients.ts';
import type { GatewayUnderTest } from './gateway-under-test.ts';

/** Callers whose every request carries a number of its own, for which the answer is checked. */

/** How one try ended. */
export interface Try {
  /** Empty when the answer was the right one. */
  readonly problem: string;
  /** Whether the connection ended, rather than that the gateway said no. */
  readonly cut: boolean;
  /** The caller's port; 0 where its library does not tell. */
  readonly port: number;
}

export interface MarkedCaller {
  readonly name: string;
  ask(mark: number): Promise<Try>;
  close(): void;
}

const CUT_CODES = new Set(['ECONNRESET', 'EPIPE']);

/** REST on one connection that it keeps. */
export class RestCaller implements MarkedCaller {
  readonly name: string;
  readonly #url: string;
  readonly #key: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(gateway: GatewayUnderTest, model: string) {
    this.name = `REST ${model}`;
    this.#url = `${gateway.httpUrl}/v2/models/${model}/infer`;
    this.#key = gateway.keys['alpha']!;
  }

  ask(mark: number): Promise<Try> {
    const body = `{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[${mark},${-mark}]}]}`;
    const headers = {
      authorization: `Bearer ${this.#key}`,
      'content-type': 'application/json',
      'content-length': body.length,
    };
    return new Promise((resolve) => {
      let port = 0;
      const failed = (error: NodeJS.ErrnoException): void => {
        const code = error.code ?? error.message;
        resolve({ problem: code, cut: CUT_CODES.has(code), port });
      };
      const sent = request(this.#url, { method: 'POST', headers, agent: this.#agent }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (piece: string) => (text += piece));
        response.on('end', () => {
          if (response.complete) resolve({ problem: problemOf(response.statusCode!, text, mark), cut: false, port });
        });
        response.on('error', failed);
      });
      // Noted now: a socket that is closed has no port any more.
      sent.on('socket', (socket) => {
        port = socket.localPort ?? 0;
        if (port === 0) socket.once('connect', () => (port = socket.localPort ?? 0));
      });
      sent.on('error', failed);
      sent.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** One of several that share a gRPC connection. */
export class GrpcMarkedCaller implements MarkedCaller {
  readonly name = 'gRPC m';
  readonly #caller: GrpcCaller;

  constructor(caller: GrpcCaller) {
    this.#caller = caller;
  }

  async ask(mark: number): Promise<Try> {
    const raw = Buffer.from(Float32Array.of(mark, -mark).buffer);
    const answer = await this.#caller.infer('m', [{ name: 'x', datatype: 'FP32', shape: [1, 2], raw }]);
    if (answer.code !== 0) {
      // What the gateway itself refuses has its fault in the trailers; what a client library says for a lost connection has none.
      const cut = answer.code === 14 && answer.metadata.get('x-sluice-fault').length === 0;
      return { problem: `${answer.code} ${answer.details}`, cut, port: 0 };
    }
    const told = rawOutputs(answer)['y'];
    return { problem: told?.equals(raw) === true ? '' : `another's answer: ${told?.toString('hex')}`, cut: false, port: 0 };
  }

  close(): void {
    this.#caller.close();
  }
}

function problemOf(status: number, text: string, mark: number): string {
  if (status !== 200) return `${status} ${text}`;
  const { outputs } = JSON.parse(text) as { outputs: readonly { data: readonly number[] }[] };
  const [first, second] = outputs[0]!.data;
  return first === mark && second === -mark ? '' : `another's answer: ${text}`;
}
