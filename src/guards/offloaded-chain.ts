import type { GuardConfig } from '../config/guard-schema.ts';
import { bytesOf, headsOf } from '../core/detached.ts';
import type { GuardChain, Inspection, Ruling } from '../core/guard.ts';
import type { Tensor } from '../core/inference.ts';
import type { Offload, Waiting } from '../core/offload.ts';
import type { Maybe } from '../core/verdict.ts';
import { buildChain, type ChainOptions } from './chain.ts';
import { INSPECT } from './chain-task.ts';
import type { OnRuling, OrderedChain } from './ordered-chain.ts';

/** Bounds take 1 to 4 ms for a MiB of numbers, guards of texts up to 90 for one of text. */
const NUMBER_PART = 1 / 16;

/** The guards of one model and side; null when config lists none. Throws when a guard cannot be built. */
export function buildOffloadedChain(configs: readonly GuardConfig[], options: ChainOptions, offload: Offload): GuardChain | null {
  const inPlace = buildChain(configs, options);
  return inPlace === null ? null : new OffloadedChain(inPlace, configs, options.onRuling, offload);
}

/** A chain that looks at small tensors in place and has a thread look at those that would hold up other requests. */
class OffloadedChain implements GuardChain {
  readonly policy: string;
  readonly #inPlace: OrderedChain;
  readonly #configs: string;
  readonly #onRuling: OnRuling;
  readonly #offload: Offload;

  constructor(inPlace: OrderedChain, configs: readonly GuardConfig[], onRuling: OnRuling, offload: Offload) {
    this.policy = inPlace.policy;
    this.#inPlace = inPlace;
    this.#configs = JSON.stringify(configs);
    this.#onRuling = onRuling;
    this.#offload = offload;
  }

  /** @hot */
  inspect(inspection: Inspection, waiting: Waiting): Maybe<Ruling> {
    return effortOf(inspection.tensors) <= this.#offload.inlineBytes
      ? this.#inPlace.inspect(inspection)
      : this.#inspectAside(inspection, waiting);
  }

  async #inspectAside(inspection: Inspection, waiting: Waiting): Promise<Ruling> {
    const { model, tenant, side, tensors } = inspection;
    const input = { policy: this.policy, configs: this.#configs, model, tenant, side, tensors: headsOf(tensors) };
    const { value, bytes } = await this.#offload.run(INSPECT, input, bytesOf(tensors), waiting);
    for (const [guard, ruling] of value.rulings) this.#onRuling(guard, ruling);
    value.rewritten.forEach((index, i) => {
      tensors[index] = { ...tensors[index]!, data: bytes[i]! };
    });
    inspection.guard = value.guard;
    inspection.rule = value.rule;
    inspection.flags.push(...value.flags);
    return value.ruling;
  }
}

/** Bytes of text that would take as long. */
function effortOf(tensors: readonly Tensor[]): number {
  let effort = 0;
  for (let i = 0; i < tensors.length; i++) {
    const { datatype, data } = tensors[i]!;
    effort += datatype === 'BYTES' ? data.length : data.length * NUMBER_PART;
  }
  return effort;
}
