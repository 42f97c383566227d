/** Which outputs of an answer travel as raw bytes behind its JSON, where the protocol lets the caller choose. */
export interface AnswerForm {
  /** How every output travels that is not among the others. */
  readonly binary: boolean;
  /** Names of the outputs that travel the other way. */
  readonly others: readonly string[];
}

export const JSON_ANSWER: AnswerForm = Object.freeze({ binary: false, others: Object.freeze([]) });
export const BINARY_ANSWER: AnswerForm = Object.freeze({ binary: true, others: Object.freeze([]) });

/** @hot */
export function isBinary(form: AnswerForm, output: string): boolean {
  return form.others.length > 0 && form.others.includes(output) ? !form.binary : form.binary;
}
