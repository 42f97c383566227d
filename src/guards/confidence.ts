import type { ConfidenceGuardConfig } from '../config/guard-schema.ts';
import type { Datatype } from '../core/datatype.ts';
import { Ruling } from '../core/guard.ts';
import type { Tensor } from '../core/inference.ts';
import type { Numbers } from '../core/number-view.ts';
import type { Guard } from './guard.ts';
import { nearestIn } from './precision.ts';
import { Fit, FLOATING, Selection } from './selection.ts';
import type { Subject } from './subject.ts';

/**
 * Watches that a model is sure of its answer: in each row of its scores the greatest must reach the floor. A row is what lies along the
 * last dimension; with one dimension or none every element is a row of its own. One pass over the scores.
 */
export class ConfidenceGuard implements Guard {
  readonly name: string;
  readonly failClosed: boolean;
  readonly #selection: Selection;
  /** Tensors that config names; 0 when it leaves the choice to the first floating one. */
  readonly #named: number;
  /** The floor as the nearest number that each datatype holds. */
  readonly #floors: ReadonlyMap<Datatype, number>;
  readonly #ruling: Ruling;

  constructor(config: ConfidenceGuardConfig) {
    this.name = config.name;
    this.failClosed = config.failClosed;
    this.#selection = new Selection(config.tensors, FLOATING);
    this.#named = new Set(config.tensors).size;
    this.#floors = new Map(
      [...FLOATING].map((datatype) => [datatype, Math.min(config.floor, nearestIn(datatype, config.floor))]),
    );
    this.#ruling = config.action === 'block' ? Ruling.Block : Ruling.Flag;
  }

  /** @hot */
  check(subject: Subject): Ruling {
    const tensors = subject.tensors;
    const wanted = this.#named === 0 ? 1 : this.#named;
    let judged = 0;
    for (let i = 0; i < tensors.length && judged < wanted; i++) {
      const tensor = tensors[i]!;
      const fit = this.#selection.fit(tensor);
      if (fit === Fit.Skip) continue;
      if (fit === Fit.Wrong) {
        subject.rule = 'datatype';
        return Ruling.Error;
      }
      judged++;
      if (reachesFloor(subject.numbers(i), tensor, this.#floors.get(tensor.datatype)!)) continue;
      subject.rule = 'floor';
      return this.#ruling;
    }
    if (judged === wanted) return Ruling.Allow;
    // Scores that are not there cannot be called sure, or asking for other outputs alone would get around the guard.
    subject.rule = 'scores';
    return Ruling.Error;
  }
}

/** A row that holds nothing but NaN reaches no floor. */
function reachesFloor(scores: Numbers, tensor: Tensor, floor: number): boolean {
  const rank = tensor.shape.length;
  const length = rank < 2 ? 1 : tensor.shape[rank - 1]!;
  if (scores.length % length > 0 || (length < 1 && scores.length > 0)) {
    throw new Error(`tensor "${tensor.name}" has ${scores.length} elements, which make no whole rows of ${length}`);
  }
  let sure = true;
  for (let row = 0; row < scores.length && sure; row += length) {
    sure = false;
    for (let i = row; i < row + length && !sure; i++) sure = scores[i]! >= floor;
  }
  return sure;
}
