/** What a phase says about a request: a small integer, so that the usual answer allocates nothing. */
export const Verdict = {
  /** Go on with the next phase. */
  Next: 0,
  /** `ctx.prediction` or `ctx.reply` holds the answer; skip to Book. */
  Answer: 1,
  /** `ctx.fault` holds the reason; skip to Book. */
  Refuse: 2,
  /** The phase keeps the request and resumes the lifecycle itself, once, with the ticket it saw. */
  Park: 3,
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** A promise only where something really waits. */
export type Maybe<T> = T | Promise<T>;

/** The phases of a request, in order. `Done` comes after the last one. */
export const Phase = {
  Identify: 0,
  Admit: 1,
  Decode: 2,
  Authorise: 3,
  InspectInput: 4,
  Place: 5,
  Recall: 6,
  Infer: 7,
  InspectOutput: 8,
  Book: 9,
  Reply: 10,
  Release: 11,
  Done: 12,
} as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

/** Phase names as metrics, logs and spans spell them, by number. */
export const PHASE_NAMES: readonly string[] = [
  'identify',
  'admit',
  'decode',
  'authorise',
  'inspect_input',
  'place',
  'recall',
  'infer',
  'inspect_output',
  'book',
  'reply',
  'release',
];
