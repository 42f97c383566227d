/** Each row's figure as a share of what it must not exceed, as an SVG: within the line is kept, and the tick is what is aimed at. */

import { judgedOf, type RowResult } from './row.ts';

const WIDTH = 760;
const LEFT = 330;
const RIGHT = 70;
const TOP = 46;
const STEP = 24;
const BAR = 14;
const BOTTOM = 12;
/** Bars that would be longer are cut there; their figure says how long they are. */
const LONGEST = 2;

export function wireChart(all: readonly RowResult[]): string {
  const rows = all.filter(({ limit, engine, voided }) => limit !== null && engine === 'own' && voided === '');
  const height = TOP + rows.length * STEP + BOTTOM;
  const x = (share: number): number => LEFT + (Math.min(share, LONGEST) / LONGEST) * (WIDTH - LEFT - RIGHT);
  const bars = rows.flatMap((row, i) => barOf(row, TOP + i * STEP, x));
  const limit = x(1).toFixed(1);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    text(12, 18, 'Each row as a share of what it must not exceed', 'start'),
    text(x(1), 36, 'must be', 'middle'),
    ...bars,
    `<path d="M${limit} ${TOP - 4}V${height - BOTTOM}" stroke="#333" stroke-dasharray="4 3"/>`,
    '</svg>',
    '',
  ].join('\n');
}

function barOf(row: RowResult, top: number, x: (share: number) => number): string[] {
  const share = judgedOf(row) / row.limit!;
  const end = Math.max(x(0) + 1, x(share));
  const colour = share <= 1 ? '#0a6' : '#c50';
  const bar = `<rect x="${LEFT}" y="${top}" width="${(end - LEFT).toFixed(1)}" height="${BAR}" fill="${colour}"/>`;
  const figure = row.judged === 'ratio' ? `${judgedOf(row).toFixed(2)}×` : `${judgedOf(row).toFixed(2)} ms`;
  const lines = [text(LEFT - 8, top + 11, row.name, 'end'), bar, text(end + 6, top + 11, figure, 'start')];
  if (row.aim === null) return lines;
  const aim = x(row.aim / row.limit!).toFixed(1);
  return [...lines, `<path d="M${aim} ${top - 3}V${top + BAR + 3}" stroke="#06c" stroke-width="2"/>`];
}

const text = (x: number, y: number, words: string, anchor: string): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${words}</text>`;
