import type { InputRule } from '../config/model-schema.ts';
import type { Config } from '../config/schema.ts';

/** What config says about a model's tensors beyond the signature that its variants state. */
export interface Narrowing {
  readonly rules: Readonly<Record<string, InputRule>>;
  readonly maxRows: number;
  readonly rowsAgree: boolean;
  /** Tensors that guards name. */
  readonly guarded: { readonly input: readonly string[]; readonly output: readonly string[] };
}

/** By model. */
export function narrowingOf(config: Config): ReadonlyMap<string, Narrowing> {
  const entries = Object.entries(config.models).map(([name, model]): [string, Narrowing] => {
    const named = (side: 'input' | 'output'): string[] => model.guards[side].flatMap((guard) => guard.tensors);
    const guarded = { input: named('input'), output: named('output') };
    return [name, { rules: model.inputs, maxRows: model.maxRows, rowsAgree: model.rowsAgree, guarded }];
  });
  return new Map(entries);
}
