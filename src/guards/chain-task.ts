import type { GuardConfig } from '../config/guard-schema.ts';
import { tensorsOf } from '../core/detached.ts';
import type { Inspection, Ruling } from '../core/guard.ts';
import type { Tensor } from '../core/inference.ts';
import type { Task } from '../core/offload.ts';
import { buildChain } from './chain.ts';
import type { OrderedChain } from './ordered-chain.ts';

/** One inspection as a thread makes it: from the config of its guards, since guards themselves cannot travel. */

export interface Inspected {
  readonly policy: string;
  /** The configs of the guards as JSON, which is read once in each thread: a deny list may have ten thousand phrases. */
  readonly configs: string;
  readonly model: string;
  readonly tenant: string;
  readonly side: 'input' | 'output';
  /** Without their bytes. */
  readonly tensors: readonly Tensor[];
}

/** What the chain said. The bytes beside it are those of the rewritten tensors, in order. */
export interface Judgement {
  readonly ruling: Ruling;
  readonly guard: string;
  readonly rule: string;
  readonly flags: readonly string[];
  /** Each guard that was asked, and its own ruling. */
  readonly rulings: readonly (readonly [guard: string, ruling: Ruling])[];
  /** Index of each tensor that was rewritten. */
  readonly rewritten: readonly number[];
}

export const INSPECT: Task<Inspected, Judgement> = {
  name: 'guards',
  run({ policy, configs, model, tenant, side, tensors }, bytes) {
    const given = tensorsOf(tensors, bytes);
    const inspection: Inspection = { tenant, model, side, tensors: given.slice(), guard: '', rule: '', flags: [] };
    const rulings: [string, Ruling][] = [];
    heard = rulings;
    const ruling = chainOf(policy, configs).inspect(inspection);
    // Guards that wait for something would have to be asked in the main thread.
    if (typeof ruling !== 'number') throw new Error('a guard answered with a promise');
    const rewritten: number[] = [];
    const changed: Uint8Array[] = [];
    inspection.tensors.forEach((tensor, i) => {
      if (tensor === given[i]) return;
      rewritten.push(i);
      changed.push(tensor.data);
    });
    const { guard, rule, flags } = inspection;
    return { value: { ruling, guard, rule, flags, rulings, rewritten }, bytes: changed };
  },
};

/** A thread sees every chain now and then; more than so many are built anew. */
const MAX_KEPT = 64;
const kept = new Map<string, OrderedChain>();
/** Of the inspection that runs now: a thread makes one at a time. */
let heard: [string, Ruling][] = [];

function chainOf(policy: string, configs: string): OrderedChain {
  let chain = kept.get(policy);
  if (chain === undefined) {
    if (kept.size >= MAX_KEPT) kept.clear();
    const guards = JSON.parse(configs) as GuardConfig[];
    chain = buildChain(guards, { model: '', side: 'input', onRuling: (guard, ruling) => heard.push([guard, ruling]) })!;
    kept.set(policy, chain);
  }
  return chain;
}
