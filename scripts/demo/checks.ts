/** What must be true at the end of a demo that worked. */

import { CANARY } from './demo-configs.ts';
import type { Outcome } from './errand.ts';
import { answersTo, type Findings } from './findings.ts';
import { CALLERS } from './workload.ts';

/** The mistakes that are made on purpose. Any other refusal is a failure of the demo. */
const EXPECTED_FAULTS = ['BAD_REQUEST', 'KEY_MISSING', 'KEY_UNKNOWN', 'NOT_FOUND', 'RATE_LIMITED', 'GUARD_BLOCKED'];
/** Below the model cards' held-out figures, above any guess. */
const LEAST_RIGHT = 0.9;
const LEAST_CALLERS = 200;

/** One sentence for each thing that is not as it must be. */
export function problemsOf(findings: Findings): string[] {
  return [
    ...canaryProblems(findings),
    ...variantProblems(findings),
    ...stickyProblems(findings.outcomes),
    ...shadowProblems(findings),
    ...cacheProblems(findings),
    ...faultProblems(findings),
    ...guardProblems(findings),
    ...costProblems(findings),
  ];
}

const unless = (holds: boolean, problem: string): string[] => (holds ? [] : [problem]);

function canaryProblems({ gateway, canaryServer }: Findings): string[] {
  const served = canaryServer.sum('sluice_requests_total', { face: 'grpc', model: CANARY.model, outcome: 'ok' });
  const attempts = { model: CANARY.model, variant: CANARY.variant };
  const made = gateway.sum('sluice_backend_attempts_total', attempts);
  return [
    ...unless(served > 0, 'The gRPC backend saw no call.'),
    ...unless(served === made, `The gRPC backend answered ${served} calls; the gateway made ${made}.`),
  ];
}

function variantProblems({ outcomes, plans }: Findings): string[] {
  return plans.flatMap(({ model, variants }) => {
    const answers = answersTo(outcomes, model);
    const right = answers.filter((outcome) => outcome.label === outcome.errand.label).length;
    const silent = variants.filter(({ role, name }) => role !== 'shadow' && !answers.some(({ variant }) => variant === name));
    return [
      ...silent.map(({ name }) => `Variant ${name} of ${model} answered nothing.`),
      ...unless(
        right >= LEAST_RIGHT * answers.length,
        `Model ${model} was right ${right} times of ${answers.length}; expected ${LEAST_RIGHT * 100} %.`,
      ),
    ];
  });
}

/** A caller stays on the variant it was given. */
function stickyProblems(outcomes: readonly Outcome[]): string[] {
  const seen = new Map<string, string>();
  const moved = new Set<string>();
  for (const { errand, fault, variant } of outcomes) {
    if (fault !== '') continue;
    const key = `${errand.model} ${errand.caller}`;
    if ((seen.get(key) ?? variant) !== variant) moved.add(key);
    seen.set(key, variant);
  }
  const callers = new Set(outcomes.map(({ errand }) => errand.caller)).size;
  return [
    ...unless(moved.size === 0, `${moved.size} callers were moved from one variant to another, such as ${[...moved][0]}.`),
    ...unless(callers >= LEAST_CALLERS && callers === CALLERS, `There were ${callers} callers; expected ${CALLERS}.`),
  ];
}

function shadowProblems({ gateway }: Findings): string[] {
  const count = (outcome: string): number => gateway.sum('sluice_shadow_copies_total', { outcome });
  return [
    ...unless(
      count('agreed') > count('disagreed'),
      `The shadow agreed ${count('agreed')} times, disagreed ${count('disagreed')}.`,
    ),
    ...unless(count('failed') === 0, `${count('failed')} copies for the shadow failed.`),
  ];
}

function cacheProblems({ outcomes, gateway }: Findings): string[] {
  const repeats = outcomes.filter(({ errand }) => errand.kind === 'repeat');
  const hits = repeats.filter(({ cache }) => cache === 'hit').length;
  const counted = gateway.sum('sluice_cache_requests_total', { result: 'hit' });
  const all = outcomes.filter(({ cache }) => cache === 'hit').length;
  return [
    ...unless(hits === repeats.length, `Of ${repeats.length} questions asked again ${hits} came from the cache; expected all.`),
    ...unless(counted === all, `The gateway counted ${counted} cache hits; the answers say ${all}.`),
  ];
}

function faultProblems({ outcomes, gateway }: Findings): string[] {
  const refused = outcomes.filter(({ fault }) => fault !== '');
  const codes = new Set([...EXPECTED_FAULTS, ...refused.map(({ fault }) => fault)]);
  const counts = [...codes].flatMap((code) => {
    const times = refused.filter(({ fault }) => fault === code).length;
    const counted = gateway.sum('sluice_faults_total', { code });
    if (!EXPECTED_FAULTS.includes(code)) return [`${times} requests were refused with ${code}, which nothing here asks for.`];
    if (times === 0) return [`No request was refused with ${code}.`];
    return unless(counted === times, `The gateway counted ${code} ${counted} times; callers saw it ${times} times.`);
  });
  const slipped = outcomes.filter(({ errand, fault }) => errand.kind === 'wrong' && fault === '').length;
  const finished = gateway.sum('sluice_requests_total');
  return [
    ...counts,
    ...unless(slipped === 0, `${slipped} requests that had to be refused were answered.`),
    ...unless(finished === outcomes.length, `The gateway counted ${finished} requests; ${outcomes.length} were sent.`),
  ];
}

function guardProblems({ gateway }: Findings): string[] {
  const count = (ruling: string): number => gateway.sum('sluice_guard_rulings_total', { model: 'spam', ruling });
  return [
    ...unless(count('rewrite') > 0, 'No e-mail address was redacted.'),
    ...unless(count('block') > 0, 'No mail was blocked by the deny list.'),
    ...unless(count('error') === 0, `Guards failed ${count('error')} times.`),
  ];
}

/** What the callers were told their answers cost is what is booked. */
function costProblems({ outcomes, usage }: Findings): string[] {
  return ['demo', 'acme'].flatMap((tenant) => {
    const own = outcomes.filter(({ errand }) => errand.tenant === tenant);
    const told = own.reduce((sum, { costNano }) => sum + BigInt(costNano), 0n);
    const booked = usage.filter((row) => row.tenant === tenant).reduce((sum, row) => sum + BigInt(row.cost), 0n);
    return [
      ...unless(told > 0n, `Tenant ${tenant} was told no cost.`),
      ...unless(told === booked, `Tenant ${tenant} was told ${told} nano-dollars; ${booked} are booked.`),
    ];
  });
}
