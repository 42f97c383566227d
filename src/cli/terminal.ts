/** Where commands print; tests stand in for it. */
export interface Terminal {
  out(line: string): void;
  err(line: string): void;
  /** Whether a person looks at what `out` prints: then states have colours, and a live view redraws itself. */
  readonly isLive: boolean;
}

/** Colour is for terminals alone, and not for people who have said no (https://no-color.org). */
const hasPerson = process.stdout.isTTY === true && process.env['TERM'] !== 'dumb';

export const PROCESS_TERMINAL: Terminal = {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  isLive: hasPerson,
};

/** How a cell looks to a person; plain anywhere else. */
export type Tone = 'good' | 'wary' | 'bad' | 'plain';

const CODES: Readonly<Record<Tone, string>> = { good: '32', wary: '33', bad: '31', plain: '' };
const ESCAPE = '\u001b[';

/** `text` in the colour of `tone`, where a person looks at it. */
export function toned(terminal: Terminal, tone: Tone, text: string): string {
  if (!terminal.isLive || tone === 'plain' || (process.env['NO_COLOR'] ?? '') !== '') return text;
  return `${ESCAPE}${CODES[tone]}m${text}${ESCAPE}0m`;
}

const GOOD: ReadonlySet<string> = new Set(['ready', 'healthy', 'serving', 'running', 'completed', 'good', 'agreed', 'answered']);
const WARY: ReadonlySet<string> = new Set([
  'warming',
  'slow-start',
  'probation',
  'draining',
  'waiting',
  'paused',
  'unsure',
  'superseded',
]);

/** A state in the colour of what it means: whatever is neither good nor on its way is bad. */
export function stateCell(terminal: Terminal, state: string): string {
  if (state === '' || state === '-') return state;
  return toned(terminal, GOOD.has(state) ? 'good' : WARY.has(state) ? 'wary' : 'bad', state);
}

/** A table with columns as wide as their widest cell. Numbers align right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, c) => Math.max(title.length, ...rows.map((row) => widthOf(row[c]!))));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, c) => {
        const space = ' '.repeat(widths[c]! - widthOf(cell));
        return isNumber(cell) ? space + cell : cell + space;
      })
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}

const isNumber = (text: string): boolean => /^[\d.,%\s-]+$/.test(text);

/** Characters that show: colours take no room. */
function widthOf(cell: string): number {
  return cell.replaceAll(COLOURS, '').length;
}

const COLOURS = new RegExp(`${ESCAPE.replace('[', '\\[')}\\d*m`, 'g');
