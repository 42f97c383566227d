import { isWhole, recordOf, revisionIn } from './plan-record.ts';

const LINE_FEED = 0x0a;

/** What a history file holds, oldest line first. */
export interface HistoryText {
  /** Lines with a digest that fits, without their line feeds. */
  readonly lines: readonly Buffer[];
  /** Bytes up to the end of the last whole line. */
  readonly wholeBytes: number;
  /** Bytes of a last line that has no end: what a crash leaves of a change that never took effect. */
  readonly tornBytes: number;
  /** What is wrong before that; empty when nothing is. */
  readonly damage: string;
  /** The last revision there can have been: that of the last line that is as it was written, and some for what is broken behind it. */
  readonly lastRevision: number;
}

/**
 * Takes the bytes of a history file apart. Only a last line without its line feed may be broken: it was on its way when the process ended.
 * Anything else that is not as it was written means that nobody can say which plan was the last.
 */
export function readHistory(bytes: Buffer, model: string): HistoryText {
  const lines: Buffer[] = [];
  let [wholeBytes, last, damage, count, broken] = [0, 0, '', 0, 0];
  for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, wholeBytes)) {
    const line = bytes.subarray(wholeBytes, end);
    wholeBytes = end + 1;
    count++;
    const problem = isWhole(line) ? orderProblem(line, last) : 'is not as it was written';
    broken = problem === '' ? 0 : broken + 1;
    if (problem === '') {
      lines.push(line);
      last = revisionIn(line);
    } else if (damage === '') damage = `line ${count} ${problem}`;
  }
  if (damage === '' && lines.length > 0) damage = contentProblem(lines.at(-1)!, model, count);
  return { lines, wholeBytes, tornBytes: bytes.length - wholeBytes, damage, lastRevision: last + broken * REVISIONS_A_LINE };
}

/** A broken line has been two where the line feed between them is what broke. */
const REVISIONS_A_LINE = 2;

function orderProblem(line: Buffer, last: number): string {
  const revision = revisionIn(line);
  return revision > last ? '' : `is revision ${revision} behind revision ${last}`;
}

function contentProblem(line: Buffer, model: string, at: number): string {
  try {
    recordOf(line, model);
    return '';
  } catch (error) {
    return `line ${at} is no plan: ${(error as Error).message}`;
  }
}
