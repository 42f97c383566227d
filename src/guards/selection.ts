import type { Datatype } from '../core/datatype.ts';
import type { Tensor } from '../core/inference.ts';

/** How a tensor stands to a guard: not its business, to be looked at, or named by config but of a kind the guard cannot read. */
export const Fit = { Skip: 0, Take: 1, Wrong: 2 } as const;
export type Fit = (typeof Fit)[keyof typeof Fit];

/** Which tensors a guard looks at: those that config names, or all of the datatypes it reads when config names none. */
export class Selection {
  /** Null when config names none. */
  readonly #names: ReadonlySet<string> | null;
  readonly #datatypes: ReadonlySet<Datatype>;

  constructor(names: readonly string[], datatypes: ReadonlySet<Datatype>) {
    this.#names = names.length === 0 ? null : new Set(names);
    this.#datatypes = datatypes;
  }

  /** A named tensor of the wrong kind is no reason to pass: whoever wrote the config believes that it is watched. @hot */
  fit(tensor: Tensor): Fit {
    if (this.#names === null) return this.#datatypes.has(tensor.datatype) ? Fit.Take : Fit.Skip;
    if (!this.#names.has(tensor.name)) return Fit.Skip;
    return this.#datatypes.has(tensor.datatype) ? Fit.Take : Fit.Wrong;
  }
}

export const TEXTUAL: ReadonlySet<Datatype> = new Set<Datatype>(['BYTES']);
export const FLOATING: ReadonlySet<Datatype> = new Set<Datatype>(['FP16', 'BF16', 'FP32', 'FP64']);
export const NUMERIC: ReadonlySet<Datatype> = new Set<Datatype>([
  ...FLOATING,
  ...(['UINT8', 'UINT16', 'UINT32', 'UINT64', 'INT8', 'INT16', 'INT32', 'INT64'] as const),
]);
