/** What a request costs where the gateway has many models, keys or connections, beside the same gateway with few: all of them asked in turn. */

import { mintKey } from '../../../src/auth/api-key.ts';
import { Caller } from '../caller.ts';
import { type Expectation, WireGateway } from '../gateway.ts';
import { alternate, type Row, type RowResult, resultOf, type Side, type WireRun } from '../row.ts';
import type { Serving, WireShape } from '../wire-config.ts';

const LIMIT = 1.15;
const AIM = 1.05;

/** How much there is of each. */
interface Size {
  readonly models: number;
  readonly keys: number;
  readonly connections: number;
  readonly inFlight: number;
  readonly serving: Serving;
}

const USUAL: Size = { models: 1, keys: 1, connections: 10, inFlight: 64, serving: 'cached' };

export const GROWTH_ROWS: readonly Row[] = [
  row('models', 'cost at 1,000 models, cache hits', USUAL, { models: 1_000 }),
  row('models-passed', 'cost at 1,000 models, to the backend', { ...USUAL, serving: 'passed' }, { models: 1_000 }),
  row('keys', 'cost at 100,000 keys', USUAL, { keys: 100_000 }),
  // One in flight on each of the ten: where there are more of them, those that share a connection share its reads and writes too.
  row('connections', 'cost at 2,000 connections', { ...USUAL, inFlight: 10 }, { connections: 2_000 }),
];

function row(id: string, name: string, few: Size, more: Partial<Size>): Row {
  return { id, run: (run) => compare(run, { id, name }, few, { ...few, ...more }) };
}

async function compare(
  run: WireRun,
  about: Pick<RowResult, 'id' | 'name'>,
  few: Size,
  many: Size,
): Promise<readonly RowResult[]> {
  const sides: Sized[] = [];
  try {
    for (const size of [many, few]) sides.push(await Sized.start(run, size));
    const [ours, theirs] = await alternate(run, sides);
    return [resultOf({ ...about, engine: 'own', peerName: 'itself with few', limit: LIMIT, aim: AIM }, ours!, theirs!)];
  } finally {
    for (const side of sides) await side.stop();
  }
}

class Sized implements Side {
  readonly #run: WireRun;
  readonly #size: Size;
  readonly #gateway: WireGateway;
  readonly #caller: Caller;

  static async start(run: WireRun, size: Size): Promise<Sized> {
    const keys = Array.from({ length: size.keys }, (_, i) => mintKey('bench', `k${String(i).padStart(7, '0')}`));
    const models = Array.from({ length: size.models }, (_, i) => `model-${String(i).padStart(4, '0')}`);
    const shape: WireShape = {
      models: new Map(models.map((name) => [name, size.serving])),
      keys: keys.map(({ id, sha256 }) => ({ id, sha256 })),
    };
    const gateway = await WireGateway.start(run.pinning.server, run.backend.port, 'own', shape);
    const address = `127.0.0.1:${gateway.grpcPort}`;
    const credentials = keys.map(({ key }) => key);
    const caller = await Caller.start({ address, connections: size.connections, models, credentials }, run.pinning.load);
    const side = new Sized(run, size, gateway, caller);
    // Each model once: from here on whatever may be cached is.
    await gateway.warmUp(() => side.#ask(size.models, 1), side.#expected);
    return side;
  }

  private constructor(run: WireRun, size: Size, gateway: WireGateway, caller: Caller) {
    this.#run = run;
    this.#size = size;
    this.#gateway = gateway;
    this.#caller = caller;
  }

  measure(): Promise<number> {
    return this.#gateway.costOf(() => this.#ask(this.#run.calls, this.#size.inFlight), this.#expected);
  }

  async stop(): Promise<void> {
    this.#caller.stop();
    await this.#gateway.stop();
  }

  get #expected(): Expectation {
    return { face: 'grpc', serving: this.#size.serving };
  }

  async #ask(calls: number, inFlight: number): Promise<number> {
    await this.#caller.ask({ calls, inFlight, perSecond: 0, seed: 1 });
    return calls;
  }
}
