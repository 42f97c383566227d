/** The findings as tables for people. */

import { table } from '../../src/cli/terminal.ts';
import type { VariantView } from '../../src/core/control-plane.ts';
import type { Outcome } from './errand.ts';
import { answersTo, type Findings } from './findings.ts';
import { latencyTable } from './latency-table.ts';

/** Characters of a refusal's message in its table. */
const MESSAGE_CHARS = 110;

export function report(findings: Findings): string {
  const { outcomes, tookMs } = findings;
  const callers = new Set(outcomes.map(({ errand }) => errand.caller)).size;
  const overGrpc = outcomes.filter(({ errand }) => errand.face === 'grpc').length;
  const seconds = (tookMs / 1000).toFixed(1);
  return [
    `${outcomes.length} requests from ${callers} callers, ${overGrpc} of them over gRPC and the rest over REST, in ${seconds} s.`,
    section('Variants: who answered the held-out samples, and how well', variantTable(findings)),
    section('Shadows: copies of answered requests, compared by argmax', shadowTable(findings)),
    section('Cache', cacheTable(outcomes)),
    section('Refused, and why', refusalTable(outcomes)),
    section('Guards', guardTable(findings)),
    section('Cost by tenant, as the admin API has it', costTable(findings)),
    section("Latency in milliseconds by the caller's clock", latencyTable(outcomes)),
  ].join('\n\n');
}

const section = (title: string, body: string): string => `${title}\n\n${body}`;

export const percent = (part: number, whole: number): string => (whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)} %`);

function variantTable({ outcomes, plans }: Findings): string {
  const rows = plans.flatMap(({ model, variants }) => {
    const answers = answersTo(outcomes, model);
    return variants.filter((variant) => variant.role !== 'shadow').map((variant) => variantRow(model, variant, answers));
  });
  return table(['model', 'variant', 'role', 'backend', 'planned', 'callers', 'answers', 'share', 'right'], rows);
}

function variantRow(model: string, variant: VariantView, answers: readonly Outcome[]): string[] {
  const own = answers.filter((outcome) => outcome.variant === variant.name);
  const right = own.filter((outcome) => outcome.label === outcome.errand.label).length;
  return [
    model,
    variant.name,
    variant.role,
    variant.backend,
    percent(variant.weightBp, 10_000),
    String(new Set(own.map(({ errand }) => errand.caller)).size),
    String(own.length),
    percent(own.length, answers.length),
    percent(right, own.length),
  ];
}

function shadowTable({ plans, gateway }: Findings): string {
  const rows = plans.flatMap(({ model, variants }) =>
    variants
      .filter((variant) => variant.role === 'shadow')
      .map((variant) => {
        const count = (outcome: string): number =>
          gateway.sum('sluice_shadow_copies_total', { model, variant: variant.name, outcome });
        const [agreed, disagreed] = [count('agreed'), count('disagreed')];
        const counts = [agreed, disagreed, count('failed'), count('dropped')].map(String);
        return [model, variant.name, percent(variant.weightBp, 10_000), ...counts, percent(agreed, agreed + disagreed)];
      }),
  );
  return table(['model', 'shadow', 'sampled', 'agreed', 'disagreed', 'failed', 'dropped', 'agreement'], rows);
}

function cacheTable(outcomes: readonly Outcome[]): string {
  const answers = outcomes.filter((outcome) => outcome.fault === '');
  const rows = [...new Set(answers.map(({ errand }) => errand.model))].map((model) => {
    const own = answers.filter(({ errand }) => errand.model === model);
    const count = (result: string): number => own.filter(({ cache }) => cache === result).length;
    return [
      model,
      ...['hit', 'shared', 'miss', 'bypass'].map((result) => String(count(result))),
      percent(count('hit'), own.length),
    ];
  });
  return table(['model', 'hit', 'shared', 'miss', 'bypass', 'hits'], rows);
}

function refusalTable(outcomes: readonly Outcome[]): string {
  const byCode = new Map<string, Outcome[]>();
  for (const outcome of outcomes) {
    if (outcome.fault === '') continue;
    const same = byCode.get(outcome.fault) ?? [];
    byCode.set(outcome.fault, [...same, outcome]);
  }
  const rows = [...byCode].map(([code, same]) => {
    const statuses = [...new Set(same.map(({ status }) => status))].join(' ');
    const message = same[0]!.message;
    const shown = message.length > MESSAGE_CHARS ? `${message.slice(0, MESSAGE_CHARS)}…` : message;
    return [code, statuses, String(same.length), shown];
  });
  return table(['fault', 'status', 'times', 'the first of them said'], rows.sort(byFirst));
}

function guardTable({ gateway }: Findings): string {
  const rows = gateway.rows('sluice_guard_rulings_total').map(({ labels, value }) => {
    const { model, side, guard, ruling } = labels;
    return [model!, side!, guard!, ruling!, String(value)];
  });
  return table(['model', 'side', 'guard', 'ruling', 'times'], rows);
}

function costTable({ usage }: Findings): string {
  const rows = usage.map((row) => [
    row.tenant,
    row.model,
    row.variant === '' ? '(none chosen)' : row.variant,
    String(row.requests),
    String(row.cacheHits),
    String(row.failures),
    (Number(row.cost) / 1e9).toFixed(7),
  ]);
  return table(['tenant', 'model', 'variant', 'requests', 'cache hits', 'refused', 'US dollars'], rows.sort(byFirst));
}

const byFirst = (a: readonly string[], b: readonly string[]): number => a.join('\n').localeCompare(b.join('\n'));
