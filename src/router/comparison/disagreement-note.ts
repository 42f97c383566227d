import { createHash } from 'node:crypto';
import type { Disagreement, KeptTensor } from '../../core/comparison.ts';
import type { Tensor } from '../../core/inference.ts';
import type { Answered } from '../copies/answered.ts';
import type { AnswerComparison } from './answer-comparer.ts';
import type { SecondAnswer } from './comparison-book.ts';
import type { ComparisonPolicy } from './policy.ts';

/** Bytes of each tensor that are digested: 0.2 ms of the event loop. */
const MAX_DIGESTED_BYTES = 262_144;
/** Tensors of each side; more are few and far between, and each costs a digest. */
const MAX_TENSORS = 8;

export interface NoteOptions extends Pick<ComparisonPolicy, 'tensors' | 'maxKeptBytes'> {
  /** A disagreement. */
  readonly found: AnswerComparison;
  readonly atMs: number;
  readonly variant: string;
}

/** What is kept of a disagreement: never more of its tensors than policy allows. */
export function disagreementOf(answered: Answered, second: SecondAnswer, options: NoteOptions): Disagreement {
  const { found, atMs, variant } = options;
  const { output, row, stableArgmax, variantArgmax, maxDifference } = found.decided!;
  const byStable = answered.by === answered.stable;
  const given = kept(answered.outputs, options);
  const other = kept(second.prediction.outputs, options);
  return {
    requestId: answered.requestId,
    atMs,
    tenant: answered.tenant,
    variant,
    answeredBy: answered.by.name,
    kind: found.kind!,
    output,
    row,
    stableArgmax,
    variantArgmax,
    maxDifference,
    inputs: kept(answered.request.inputs, options),
    stableOutputs: byStable ? given : other,
    variantOutputs: byStable ? other : given,
  };
}

function kept(tensors: readonly Tensor[], { tensors: policy, maxKeptBytes }: NoteOptions): readonly KeptTensor[] {
  if (policy === 'none') return [];
  let roomBytes = policy === 'values' ? maxKeptBytes : 0;
  return tensors.slice(0, MAX_TENSORS).map(({ name, datatype, shape, data }) => {
    const values = data.subarray(0, roomBytes);
    roomBytes -= values.length;
    const sha256 = createHash('sha256').update(data.subarray(0, MAX_DIGESTED_BYTES)).digest('hex');
    return { name, datatype, shape, sizeBytes: data.length, sha256, base64: Buffer.from(values).toString('base64') };
  });
}
