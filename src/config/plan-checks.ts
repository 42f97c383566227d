import type { Pin } from '../core/traffic.ts';

/** What a schema of single keys cannot say about pins and fallbacks; the same for config and for the admin API. */

interface NamedVariant {
  readonly name: string;
  readonly role: string;
}

/** A problem and where it stands in the list, by dots. */
export interface PlanProblem {
  readonly path: string;
  readonly message: string;
}

/** Each one is looked at for every request that no pin before it has caught. */
const MAX_HEADERS = 4;
/** Their values are secrets, and a plan stands in files, records and answers. */
const SECRET_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'x-api-key',
  'cookie',
  'set-cookie',
]);

export function pinProblems(
  pins: readonly Pin[],
  variants: readonly NamedVariant[],
  tenants: ReadonlySet<string>,
): PlanProblem[] {
  const problems: PlanProblem[] = [];
  const seen = new Set<string>();
  const headers = new Set<string>();
  pins.forEach((pin, i) => {
    const add = (key: string, message: string): void => void problems.push({ path: `pins.${i}${key}`, message });
    const stranger = strangerProblem(pin.variant, variants);
    if (stranger !== '') add('.variant', stranger);
    const who = pinKey(pin);
    if (seen.has(who)) add('', `found ${who} twice; expected one variant for it`);
    seen.add(who);
    if ('tenant' in pin) {
      if (!tenants.has(pin.tenant)) add('.tenant', `found "${pin.tenant}"; expected a tenant of the config`);
      return;
    }
    headers.add(pin.header);
    if (SECRET_HEADERS.has(pin.header)) add('.header', `found ${pin.header}, which carries credentials; pin the tenant instead`);
    if (headers.size === MAX_HEADERS + 1)
      add('.header', `found a header field beyond ${MAX_HEADERS}; expected at most so many in all pins`);
  });
  return problems;
}

export function fallbackProblems(fallbacks: readonly string[], variants: readonly NamedVariant[]): PlanProblem[] {
  const problems: PlanProblem[] = [];
  fallbacks.forEach((name, i) => {
    const stranger = strangerProblem(name, variants);
    if (stranger !== '') problems.push({ path: `fallbacks.${i}`, message: stranger });
    if (fallbacks.indexOf(name) < i) problems.push({ path: `fallbacks.${i}`, message: `found "${name}" twice` });
  });
  return problems;
}

/** Whom a pin catches, in one word: `tenant:acme`, `header:x-cohort:beta`. */
export const pinKey = (pin: Pin): string => ('tenant' in pin ? `tenant:${pin.tenant}` : `header:${pin.header}:${pin.value}`);

function strangerProblem(name: string, variants: readonly NamedVariant[]): string {
  const found = variants.find((variant) => variant.name === name);
  if (found !== undefined && found.role !== 'shadow') return '';
  const known = variants.filter(({ role }) => role !== 'shadow').map((variant) => `"${variant.name}"`);
  const why = found === undefined ? `found "${name}"` : `found "${name}", a shadow, which carries no traffic`;
  return `${why}; expected one of ${known.join(', ')}`;
}
