import type { Signature } from '../../core/signature.ts';

/** What the main thread and the threads that run models say to each other. Everything here survives structured cloning. */

/** How a model becomes a session. */
export interface SessionSpec {
  /** Number of the session; unique in the process, the same in every thread. */
  readonly session: number;
  readonly path: string;
  /** Lower-case hexadecimal; null skips the check. */
  readonly sha256: string | null;
  /** In order of preference. */
  readonly providers: readonly string[];
  readonly fallback: boolean;
}

/** One run of one session. */
export interface RunJob {
  readonly run: number;
  readonly session: number;
  /** All inputs, one after another, each at an aligned place. Transferred. */
  readonly buffer: ArrayBuffer;
  /** By input, in the order of the signature. */
  readonly shapes: readonly (readonly number[])[];
  /** Offset and length in bytes of each input: two numbers an input. */
  readonly places: readonly number[];
}

export type ToThread =
  | { readonly is: 'load'; readonly spec: SessionSpec }
  | { readonly is: 'unload'; readonly session: number }
  | { readonly is: 'runs'; readonly jobs: readonly RunJob[] };

export interface Loaded {
  readonly is: 'loaded';
  readonly session: number;
  readonly signature: Signature;
  /** The execution provider that runs the session. */
  readonly provider: string;
  /** Why providers before it could not be taken; empty when the first one was. */
  readonly skipped: readonly string[];
}

export interface RunOutput {
  readonly shape: readonly number[];
  /** Transferred. */
  readonly data: ArrayBuffer;
}

/** How a run ended: `input` blames what the caller sent, `run` the model or the runtime. */
export type RunEnd = 'done' | 'input' | 'run';

export interface RunResult {
  readonly run: number;
  readonly end: RunEnd;
  /** Empty when it is done. */
  readonly error: string;
  readonly computeUs: number;
  /** In the order of the signature; empty unless it is done. */
  readonly outputs: readonly RunOutput[];
}

export type FromThread =
  | Loaded
  | {
      readonly is: 'refused';
      readonly session: number;
      /** The runtime itself is not installed. */
      readonly runtimeMissing: boolean;
      readonly reason: string;
    }
  | { readonly is: 'unloaded'; readonly session: number }
  | { readonly is: 'results'; readonly results: readonly RunResult[] };
