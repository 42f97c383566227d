import type { z } from 'zod';

/** One thing wrong with a config: where, what was found, what was expected. */
export interface ConfigProblem {
  /** Keys joined by dots, as `models.digits.variants.0.weight`. Empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

/** Thrown with all problems at once; a config with any never starts and never replaces a running one. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly file: string;
  readonly problems: readonly ConfigProblem[];

  constructor(file: string, problems: readonly ConfigProblem[]) {
    super(`${file}: ${problems.length} problem${problems.length === 1 ? '' : 's'}\n${linesOf(problems).join('\n')}`);
    this.file = file;
    this.problems = problems;
  }
}

/** Problems that a message lists; whoever has more of them than this has one mistake in many places. */
const MAX_LINES = 100;

function linesOf(problems: readonly ConfigProblem[]): string[] {
  const lines = problems.slice(0, MAX_LINES).map(lineOf);
  if (problems.length > MAX_LINES) lines.push(`  and ${problems.length - MAX_LINES} more`);
  return lines;
}

const lineOf = (problem: ConfigProblem): string => `  ${problem.path === '' ? '(file)' : problem.path}: ${problem.message}`;

/** Longest found value that is repeated in a message. */
const MAX_SHOWN = 60;

/** Values under these keys may be secrets pasted in the wrong place, and are never repeated. */
const SECRET_KEYS = /secret|token|credential|sha256|key|webhook/i;

/** The schema's issues with the value found at each path. */
export function problemsOf(issues: readonly z.core.$ZodIssue[], input: unknown): ConfigProblem[] {
  return issues.flatMap((issue) => problemOf(issue, input));
}

function problemOf(issue: z.core.$ZodIssue, input: unknown): ConfigProblem[] {
  const path = issue.path.map(String);
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const branch = closestBranch(issue.errors);
    return branch.flatMap((inner) => problemOf({ ...inner, path: [...issue.path, ...inner.path] }, input));
  }
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key].join('.'), message: 'unknown key; remove it or check its spelling' }));
  }
  return [{ path: path.join('.'), message: `${issue.message}; found ${shown(valueAt(input, issue.path), path)}` }];
}

/** Of a union's branches the one that came furthest: fewest unknown keys, then fewest issues. */
function closestBranch(branches: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] {
  const unknownKeys = (issues: readonly z.core.$ZodIssue[]): number =>
    issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 0), 0);
  return [...branches].sort((a, b) => unknownKeys(a) - unknownKeys(b) || a.length - b.length)[0]!;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of path) {
    if (value === null || typeof value !== 'object') return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

function shown(value: unknown, path: readonly string[]): string {
  if (value === undefined) return 'nothing';
  if (value !== null && typeof value === 'object') return Array.isArray(value) ? 'a list' : 'a map';
  if (path.some((key) => SECRET_KEYS.test(key)) && typeof value === 'string') return `a text of ${value.length} characters`;
  const text = JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
