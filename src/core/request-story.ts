/** What the gateway still knows of one request that is over: who asked, what each phase decided, and how long it took. */
export interface RequestStory {
  readonly requestId: string;
  /** When it ended, ISO 8601. */
  readonly at: string;
  readonly traceId: string;
  readonly face: string;
  readonly method: string;
  readonly path: string;
  /** Empty for a stranger. */
  readonly tenant: string;
  readonly keyId: string;
  /** Empty where no model was found. */
  readonly model: string;
  /** Null where no variant was chosen. */
  readonly placement: Placement | null;
  /** Empty where nobody answered. */
  readonly answeredBy: string;
  readonly cache: string;
  /** Calls begun or refused at a variant's door. */
  readonly attempts: number;
  /** Those that brought no answer, in order. */
  readonly failedTries: readonly FailedTryStory[];
  /** In order, those that ran. */
  readonly phases: readonly PhaseStory[];
  /** Null where it was answered. */
  readonly fault: { readonly code: string; readonly phase: string; readonly detail: string; readonly message: string } | null;
  readonly rows: number;
  readonly costNanoUsd: number;
  readonly durationUs: number;
}

/** Why a request was given to its variant. */
export interface Placement {
  readonly variant: string;
  readonly planRevision: number;
  /** What the plan gave the variant at that moment, basis points. */
  readonly weightBp: number;
  /** One sentence. */
  readonly why: string;
}

export interface FailedTryStory {
  readonly variant: string;
  readonly endpoint: string;
  readonly code: string;
  readonly durationUs: number;
}

export interface PhaseStory {
  readonly phase: string;
  readonly durationUs: number;
  /** One sentence. */
  readonly decided: string;
}
