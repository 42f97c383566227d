/** What the callers of a model show about its variants while a rollout is judged. */

/**
 * Callers are dealt into so many cells by their sticky key; a cell is one sampling unit. Callers of one cell may be alike and come back as
 * often as they like: a test that counts cells, and not requests, is not fooled by them.
 */
export const CELLS = 512;

/** Sums by cell of one variant; each array has `CELLS` entries. Survives a structured clone. */
export interface ArmEvidence {
  /** Requests that the plan has given to this variant, whoever answered them in the end. */
  readonly requests: Float64Array;
  /** Of these: failed by fault of the variant, or answered by another one in its place. */
  readonly failures: Float64Array;
  /** Of these: answered by the variant itself, and not from the cache. */
  readonly answered: Float64Array;
  /** Sum of natural logarithms of the microseconds that answered ones took in the backend. */
  readonly logUs: Float64Array;
  /** Nano-dollars of answered ones. */
  readonly costNano: Float64Array;
  /** Requests that this variant and stable have both answered, so that the answers could be compared. */
  readonly pairs: Float64Array;
  /** Of these: the answers differ by more than the model's tolerance. */
  readonly disagreements: Float64Array;
}

export function noEvidence(): ArmEvidence {
  return {
    requests: new Float64Array(CELLS),
    failures: new Float64Array(CELLS),
    answered: new Float64Array(CELLS),
    logUs: new Float64Array(CELLS),
    costNano: new Float64Array(CELLS),
    pairs: new Float64Array(CELLS),
    disagreements: new Float64Array(CELLS),
  };
}

/** Adds `from` to `into`, cell by cell. */
export function addEvidence(into: ArmEvidence, from: ArmEvidence): void {
  for (const name of FIELDS) {
    const [to, more] = [into[name], from[name]];
    for (let i = 0; i < CELLS; i++) to[i]! += more[i]!;
  }
}

const FIELDS = Object.keys(noEvidence()) as readonly (keyof ArmEvidence)[];

/** Where requests and compared answers are noted. Notes of models that are not watched are dropped. */
export interface EvidenceBook {
  /** A request that the plan gave to `variant` has ended. `us` and `costNano` count where it was answered by it. @hot */
  request(
    model: string,
    variant: string,
    affinity: number,
    end: 'answered' | 'cached' | 'failed',
    us: number,
    costNano: number,
  ): void;
  /** `variant` and stable have both answered one request. */
  pair(model: string, variant: string, affinity: number, disagreed: boolean): void;
}

/** Where nobody watches. */
export const NO_EVIDENCE: EvidenceBook = Object.freeze({ request: () => undefined, pair: () => undefined });

/** A model whose evidence is kept, and of which variants: stable first, then the canary that is judged. */
export interface Watched {
  readonly model: string;
  /** Evidence of another epoch is another evidence: it begins anew with each. */
  readonly epoch: number;
  readonly variants: readonly string[];
}

/** All that one process has noted of a watched model under one epoch. */
export interface ModelEvidence {
  /** One for each watched variant, in their order. */
  readonly arms: readonly ArmEvidence[];
}
