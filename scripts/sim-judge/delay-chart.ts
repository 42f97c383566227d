import { CALLER_KINDS, type CallerKind } from './callers.ts';
import { type Findings, quantile, rolledBack } from './findings.ts';
import { fixedHorizon } from './optimum.ts';
import type { HarmCase } from './plan.ts';
import type { RolloutEnd } from './rollout-run.ts';

/** How many requests of the canary it took to see each harm, beside what one look planned for it would have taken, as an SVG. */

const WIDTH = 760;
const LEFT = 170;
const RIGHT = 20;
const TOP = 62;
const GROUP = 52;
const LINE = 9;
const MOST = 1_000;
const COLOURS: Readonly<Record<CallerKind, string>> = {
  independent: '#0a6',
  clustered: '#06c',
  bursty: '#c50',
  drifting: '#84a',
};

export function delayChart(found: Findings): string {
  const cases = [...found.harm];
  const bottom = TOP + cases.length * GROUP;
  const ticks = [1, 3, 10, 30, 100, 300, 1_000];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + 46}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${bottom + 46}" fill="#fff"/>`,
    text(
      10,
      18,
      'Requests of the canary until rollback: dot median, line from 5 to 95 %; black bar: one look, planned for this harm',
    ),
    ...legend(),
    ...ticks.map((n) => `<path d="M${x(n)} ${TOP}V${bottom}" stroke="#ddd"/>${text(x(n), bottom + 16, `${n}`, 'middle')}`),
    text((LEFT + WIDTH - RIGHT) / 2, bottom + 36, 'requests of the canary (logarithmic)', 'middle'),
    ...cases.flatMap(([of, ends], i) => group(of, ends, TOP + i * GROUP)),
    '</svg>',
    '',
  ].join('\n');
}

function legend(): string[] {
  return CALLER_KINDS.map(
    (kind, i) => `<circle cx="${LEFT + i * 120}" cy="42" r="4" fill="${COLOURS[kind]}"/>${text(LEFT + 9 + i * 120, 46, kind)}`,
  );
}

function group(of: HarmCase, ends: ReadonlyMap<CallerKind, readonly RolloutEnd[]>, top: number): string[] {
  const best = x(fixedHorizon(of));
  return [
    text(LEFT - 10, top + 28, of.words, 'end'),
    `<path d="M${best} ${top + 6}V${top + GROUP - 6}" stroke="#000" stroke-width="2"/>`,
    ...CALLER_KINDS.flatMap((kind, i) => range(rolledBack(ends.get(kind)!), top + 12 + i * LINE, COLOURS[kind])),
  ];
}

function range(ends: readonly RolloutEnd[], y: number, colour: string): string[] {
  if (ends.length === 0) return [];
  const at = (share: number): string =>
    x(
      quantile(
        ends.map((one) => one.requests),
        share,
      ),
    );
  return [
    `<path d="M${at(0.05)} ${y}H${at(0.95)}" stroke="${colour}" stroke-width="2"/>`,
    `<circle cx="${at(0.5)}" cy="${y}" r="3" fill="${colour}"/>`,
  ];
}

function x(requests: number): string {
  const place = Math.log(Math.min(Math.max(requests, 1), MOST)) / Math.log(MOST);
  return (LEFT + place * (WIDTH - LEFT - RIGHT)).toFixed(1);
}

function text(at: number | string, y: number, words: string, anchor = 'start'): string {
  return `<text x="${at}" y="${y}" text-anchor="${anchor}">${words}</text>`;
}
