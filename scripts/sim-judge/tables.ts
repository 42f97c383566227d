import { CALLER_KINDS } from './callers.ts';
import { type Findings, percent, quantile, rolledBack } from './findings.ts';
import { fixedHorizon } from './optimum.ts';
import type { RolloutEnd } from './rollout-run.ts';

/** What was found, as tables in Markdown. */
export function tables(found: Findings): string {
  return [
    '| callers | harmless | rolled back | reached 100 % | held | canary requests to 100 %, median | just tolerated | rolled back |',
    '|---|--:|--:|--:|--:|--:|--:|--:|',
    ...CALLER_KINDS.map((kind) => harmlessRow(kind, found.harmless.get(kind)!, found.edge.get(kind)!)),
    '',
    '| harm | one look | callers | seen | canary requests, median | 95 % | bad answers, median | 95 % |',
    '|---|--:|---|--:|--:|--:|--:|--:|',
    ...[...found.harm].flatMap(([of, ends]) =>
      CALLER_KINDS.map((kind, i) => {
        const first = i === 0 ? [of.words, fixedHorizon(of).toFixed(0)] : ['', ''];
        return harmRow([...first, kind], ends.get(kind)!);
      }),
    ),
  ].join('\n');
}

function harmlessRow(kind: string, harmless: readonly RolloutEnd[], edge: readonly RolloutEnd[]): string {
  const completed = harmless.filter((one) => one.end === 'completed');
  const held = harmless.filter((one) => one.end === 'held');
  return row([
    kind,
    `${harmless.length}`,
    percent(rolledBack(harmless).length / harmless.length),
    percent(completed.length / harmless.length),
    percent(held.length / harmless.length),
    quantile(
      completed.map((one) => one.requests),
      0.5,
    ).toFixed(0),
    `${edge.length}`,
    percent(rolledBack(edge).length / edge.length),
  ]);
}

function harmRow(first: readonly string[], ends: readonly RolloutEnd[]): string {
  const back = rolledBack(ends);
  const of = (what: (one: RolloutEnd) => number, share: number): string => quantile(back.map(what), share).toFixed(0);
  const requests = (one: RolloutEnd): number => one.requests;
  const badAnswers = (one: RolloutEnd): number => one.badAnswers;
  const counts = [of(requests, 0.5), of(requests, 0.95), of(badAnswers, 0.5), of(badAnswers, 0.95)];
  return row([...first, percent(back.length / ends.length), ...counts]);
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
