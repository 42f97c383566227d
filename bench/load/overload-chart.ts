/** Goodput over offered load as an SVG, with what an ideal gateway would give and what one without any limit would. */

import { CAPACITY, type OverloadRow } from './overload-step.ts';

const WIDTH = 640;
const HEIGHT = 320;
const LEFT = 60;
const BOTTOM = 44;
const TOP = 30;
const RIGHT = 16;

export function overloadChart(rows: readonly OverloadRow[], title: string): string {
  const maxFactor = Math.max(...rows.map((row) => row.factor));
  const maxY = CAPACITY * 1.25;
  const x = (factor: number): number => LEFT + (factor / maxFactor) * (WIDTH - LEFT - RIGHT);
  const y = (perSecond: number): number => HEIGHT - BOTTOM - (perSecond / maxY) * (HEIGHT - BOTTOM - TOP);
  const line = (points: readonly (readonly [number, number])[], style: string): string =>
    `<polyline fill="none" ${style} points="${points.map(([factor, value]) => `${x(factor).toFixed(1)},${y(value).toFixed(1)}`).join(' ')}"/>`;
  const ideal = line(
    [
      [0, 0],
      [1, CAPACITY],
      [maxFactor, CAPACITY],
    ],
    'stroke="#999" stroke-dasharray="4 4"',
  );
  const goodput = line(
    rows.map((row) => [row.factor, row.goodput]),
    'stroke="#0a6" stroke-width="2"',
  );
  const dots = rows.map(
    (row) => `<circle cx="${x(row.factor).toFixed(1)}" cy="${y(row.goodput).toFixed(1)}" r="3" fill="#0a6"/>`,
  );
  const ticksX = Array.from({ length: Math.floor(maxFactor) + 1 }, (_, i) => text(x(i), HEIGHT - BOTTOM + 16, `${i}×`, 'middle'));
  const ticksY = [0, CAPACITY / 2, CAPACITY].map((value) => text(LEFT - 8, y(value) + 4, value.toFixed(0), 'end'));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(LEFT, 18, title, 'start'),
    `<path d="M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}" fill="none" stroke="#333"/>`,
    ...ticksX,
    ...ticksY,
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, 'offered load, times the capacity of the backend (dashed: ideal)', 'middle'),
    ideal,
    goodput,
    ...dots,
    '</svg>',
    '',
  ].join('\n');
}

const text = (x: number, y: number, words: string, anchor: string): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${words}</text>`;
