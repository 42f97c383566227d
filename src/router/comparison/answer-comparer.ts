import type { DisagreementKind } from '../../core/comparison.ts';
import type { Tensor } from '../../core/inference.ts';
import { kindOf, OutputComparer, type OutputDifference } from './output-comparer.ts';
import type { ComparisonPolicy } from './policy.ts';

/** Whether two answers to one question come to the same decision. */
export type Agreement = 'agreed' | 'disagreed' | 'incomparable';

export interface AnswerComparison {
  readonly agreement: Agreement;
  /** Null unless they disagree. */
  readonly kind: DisagreementKind | null;
  /** The output that decided; null where none could. */
  readonly decided: OutputDifference | null;
  /** Of every output that both have, in stable's order. */
  readonly outputs: readonly OutputDifference[];
}

/** An answer has some outputs; a backend that sends thousands does not get each of them compared. */
const MAX_OUTPUTS = 64;

/**
 * Compares the answers of stable and of a variant, output by output, by name.
 *
 * By `argmax` and `topk` one output decides: the first that both have as floats of one shape with more than one value a row, and else the
 * first of integers or truth values. Where there is none the answers cannot be compared: strings, single scores, other shapes. By
 * `tolerance` every output that both have decides, and one of another shape disagrees.
 */
export class AnswerComparer {
  readonly #policy: ComparisonPolicy;
  readonly #outputs: OutputComparer;

  constructor(policy: ComparisonPolicy) {
    this.#policy = policy;
    this.#outputs = new OutputComparer(policy);
  }

  compare(stable: readonly Tensor[], variant: readonly Tensor[]): AnswerComparison {
    const outputs: OutputDifference[] = [];
    for (let i = 0; i < stable.length && i < MAX_OUTPUTS; i++) {
      const other = named(stable[i]!.name, variant);
      if (other !== null) outputs.push(this.#outputs.compare(stable[i]!, other));
    }
    const { agreeBy } = this.#policy;
    const decided = agreeBy === 'tolerance' ? worst(outputs) : decisive(outputs, stable);
    if (decided === null) return { agreement: 'incomparable', kind: null, decided, outputs };
    const kind = kindOf(decided, agreeBy);
    return { agreement: kind === null ? 'agreed' : 'disagreed', kind, decided, outputs };
  }
}

function named(name: string, outputs: readonly Tensor[]): Tensor | null {
  for (let i = 0; i < outputs.length && i < MAX_OUTPUTS; i++) {
    if (outputs[i]!.name === name) return outputs[i]!;
  }
  return null;
}

/** The first that is out of its tolerance, else the first. */
function worst(outputs: readonly OutputDifference[]): OutputDifference | null {
  return outputs.find(({ outside }) => outside > 0) ?? outputs[0] ?? null;
}

function decisive(outputs: readonly OutputDifference[], stable: readonly Tensor[]): OutputDifference | null {
  const ranked = outputs.find(({ ranked: rows }) => rows > 0);
  if (ranked !== undefined) return ranked;
  const isCounted = ({ how, output }: OutputDifference): boolean =>
    how === 'exact' && named(output, stable)!.datatype !== 'BYTES';
  return outputs.find(isCounted) ?? null;
}
