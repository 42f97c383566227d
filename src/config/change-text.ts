import type { ConfigChange, PathStep } from './config-diff.ts';
import type { Config } from './schema.ts';

/** A config change as it may be shown: short, in the units of the config file, and without anything of a secret. */

/** `models.digits.variants[v2].weight` */
export function pathText(path: readonly PathStep[]): string {
  let text = '';
  for (const step of path) {
    if (typeof step !== 'string') text += step.nth === 1 ? `[${step.name}]` : `[${step.name}, ${ordinal(step.nth)}]`;
    else if (/^[\w-]+$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}

/** What became of what: `5 % → 10 %`, `added: …`, or just `changed` for a secret. */
export function changeText(change: ConfigChange): string {
  const { is, before, after } = change;
  const key = keyOf(change.path);
  if (isSecret(change.path)) return is;
  switch (is) {
    case 'changed':
      return `${valueText(key, before)} → ${valueText(key, after)}`;
    case 'added':
      return `added: ${valueText(key, after)}`;
    case 'removed':
      return `removed: ${valueText(key, before)}`;
    case 'reordered':
      return `order ${cut((before as string[]).join(', '))} → ${cut((after as string[]).join(', '))}`;
    default:
      return is satisfies never;
  }
}

const MAX_CHARS = 120;
const HIDDEN = '(secret)';

/** Where a secret comes from, its digest, or a place where one might be pasted by mistake. `perInputTokenUsd` is none. */
const SECRET_KEY = /(?:secret|token|credential|password|passphrase|pepper)s?$/i;

function isSecret(path: readonly PathStep[]): boolean {
  // The address of a webhook is its own credential.
  if (path[0] === 'rollouts' && path[1] === 'webhooks') return true;
  return path.some((step, i) => typeof step === 'string' && (SECRET_KEY.test(step) || isKeyDigest(path, step, i)));
}

/** The digest of an API key; that of a model file is nobody's secret. */
const isKeyDigest = (path: readonly PathStep[], step: string, at: number): boolean =>
  step === 'sha256' && path.indexOf('keys') === at - 2;

const keyOf = (path: readonly PathStep[]): string => {
  const last = path.at(-1) ?? '';
  return typeof last === 'string' ? last : '';
};

function valueText(key: string, value: unknown): string {
  if (typeof value === 'number') return numberText(key, value);
  return cut(JSON.stringify(value, (name, inner: unknown) => masked(name, inner)));
}

const cut = (text: string): string => (text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS)}…` : text);

/** The config is kept in basis points and nano-dollars, and written in percent and dollars. */
function numberText(key: string, value: number): string {
  if (key === 'weight') return `${value / 100} %`;
  return key.endsWith('Usd') ? `$${(value / 1e9).toFixed(9).replace(/0+$/, '').replace(/\.$/, '')}` : String(value);
}

/** Inside a whole that was added, removed or replaced, each digest is hidden: whose it is cannot be told here. */
function masked(name: string, value: unknown): unknown {
  if (SECRET_KEY.test(name) || name === 'sha256') return value === null ? null : HIDDEN;
  if (typeof value === 'number' && (name === 'weight' || name.endsWith('Usd'))) return numberText(name, value);
  return typeof value === 'string' && value.includes('://') ? withoutCredentials(value) : value;
}

/** Collectors take keys in their address. */
function withoutCredentials(text: string): string {
  if (!URL.canParse(text)) return text;
  const url = new URL(text);
  const isPlain = url.username === '' && url.password === '' && url.search === '';
  return isPlain ? text : `${url.protocol}//${url.host}${url.pathname} ${HIDDEN}`;
}

/** A whole config as it may be shown: every secret, every digest and every credential in an address masked, in the units of the file. */
export function shownConfig(config: Config): unknown {
  return shownAt([], config);
}

function shownAt(path: readonly string[], value: unknown): unknown {
  const name = path.at(-1) ?? '';
  if (Array.isArray(value)) return value.map((item: unknown) => shownAt(path, item));
  if (typeof value === 'object' && value !== null && (name === 'tokens' || !SECRET_KEY.test(name))) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shownAt([...path, key], inner)]));
  }
  // The address of a webhook is its own credential.
  if (typeof value === 'string' && URL.canParse(value) && path.some((key) => /webhook/i.test(key))) {
    return `${new URL(value).origin}/ ${HIDDEN}`;
  }
  return masked(name, value);
}

function ordinal(nth: number): string {
  return nth === 2 ? '2nd' : nth === 3 ? '3rd' : `${nth}th`;
}
