import type { GuardConfig } from '../config/guard-schema.ts';
import { BoundsGuard } from './bounds.ts';
import { ConfidenceGuard } from './confidence.ts';
import { DenyListGuard } from './deny-list.ts';
import type { Guard } from './guard.ts';
import { type OnRuling, OrderedChain } from './ordered-chain.ts';
import { PiiGuard } from './pii.ts';
import { policyOf } from './policy.ts';

export interface ChainOptions {
  readonly model: string;
  readonly side: 'input' | 'output';
  /** Hears every ruling of every guard. */
  readonly onRuling: OnRuling;
}

/** The guards of one model and side as config lists them; null when it lists none. Throws when a guard cannot be built. */
export function buildChain(configs: readonly GuardConfig[], options: ChainOptions): OrderedChain | null {
  if (configs.length === 0) return null;
  const guards = configs.map((config) => guardWithin(config, options));
  return new OrderedChain(guards, policyOf(configs), options.onRuling);
}

function guardWithin(config: GuardConfig, options: ChainOptions): Guard {
  try {
    return guardOf(config);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${options.side} guards of model "${options.model}": ${reason}`, { cause: error });
  }
}

function guardOf(config: GuardConfig): Guard {
  switch (config.kind) {
    case 'bounds':
      return new BoundsGuard(config);
    case 'denyList':
      return new DenyListGuard(config);
    case 'pii':
      return new PiiGuard(config);
    case 'confidence':
      return new ConfidenceGuard(config);
    default:
      return config satisfies never;
  }
}
