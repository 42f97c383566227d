import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseConfig } from '../../../src/config/load-config.ts';
import { ConfigError } from '../../../src/config/problem.ts';

const KEY = 'a'.repeat(64);
const VALID = {
  listen: { http: {}, admin: { token: { env: 'TOKEN' } } },
  tenants: [{ id: 'acme', keys: [{ id: 'acme0001', sha256: KEY }] }],
  models: { digits: { variants: [{ name: 'v1', role: 'stable', backend: { kind: 'onnx', path: 'v1.onnx' } }] } },
};

type Json = Record<string, unknown>;

/** The valid config with the value at `path` replaced. */
function withValue(path: string, value: unknown): string {
  const copy = structuredClone(VALID) as unknown as Json;
  const keys = path.split('.');
  let at = copy;
  for (const key of keys.slice(0, -1)) at = at[key] as Json;
  at[keys.at(-1)!] = value;
  return JSON.stringify(copy);
}

function problemsOf(text: string): string[] {
  try {
    parseConfig(text, 'c.yaml');
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((problem) => `${problem.path}: ${problem.message}`);
    throw error;
  }
  return [];
}

/** Every place in a tree, inner ones too. */
function leavesOf(tree: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof tree !== 'object' || tree === null) return [path];
  return [path, ...Object.entries(tree).flatMap(([key, value]) => leavesOf(value, [...path, key]))];
}

function replaced(tree: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  const copy = structuredClone(tree) as Json;
  copy[key] = replaced(copy[key], rest, value);
  return copy;
}

describe('a config file', () => {
  it('gets every default that it does not state', () => {
    const config = parseConfig(JSON.stringify(VALID), 'c.yaml');
    expect(config.listen.http).toMatchObject({ host: '127.0.0.1', port: 8080, maxHeaderBytes: 16_384 });
    expect(config.models['digits']).toMatchObject({ timeoutMs: 5_000, cache: null });
    expect(config.tenants[0]!.rate).toEqual({ requestsPerSecond: 1_000, burst: 2_000 });
  });

  it('keeps percent as basis points and dollars as nano-dollars', () => {
    const variant = {
      name: 'v2',
      role: 'canary',
      weight: 0.01,
      backend: { kind: 'grpc', endpoints: ['h:1'] },
      price: { version: '1', perRowUsd: 0.000001 },
    };
    const stable = VALID.models.digits.variants[0];
    const config = parseConfig(withValue('models.digits.variants', [stable, variant]), 'c.yaml');
    expect(config.models['digits']!.variants[1]).toMatchObject({ weight: 1, price: { perRowUsd: 1_000 } });
  });

  it('is refused when a level of pressure begins before the one below it', () => {
    const text = JSON.stringify({ ...VALID, overload: { pressure: { noIdlePercent: 80 } } });
    expect(problemsOf(text)).toEqual([expect.stringContaining('noNewEntriesPercent <= noIdlePercent')]);
    const config = parseConfig(JSON.stringify({ ...VALID, overload: { pressure: { noNewWorkPercent: 97.5 } } }), 'c.yaml');
    expect(config.overload.pressure).toMatchObject({
      noNewEntriesPercent: 0.85,
      noNewWorkPercent: 0.975,
      memoryLimitBytes: null,
    });
  });

  it('is refused with all its problems at once', () => {
    const text = JSON.stringify({ ...VALID, tenants: [{ id: 'a b', keys: [] }], zzz: 1 });
    expect(problemsOf(text)).toEqual([
      expect.stringMatching(/^tenants\.0\.id: expected letters.*found "a b"/),
      expect.stringMatching(/^tenants\.0\.keys: /),
      'zzz: unknown key; remove it or check its spelling',
    ]);
  });

  it.each([
    ['listen.http.port', 70_000, /listen\.http\.port: .*found 70000/],
    ['models.digits.variants.0.backend.kind', 'tpu', /variants\.0\.backend\.kind: /],
    ['models.digits.variants.0.backend.sha', 1, /variants\.0\.backend\.sha: unknown key/],
    ['models.digits.variants.0.role', 'canary', /found 0 variants with role stable/],
    ['models.digits.variants.0.weight', 5, /stable takes the rest/],
    ['models.digits.variants.0.weight', 0.005, /at most two decimals/],
    ['models.digits.inputs', { image: { min: 2, max: 1 } }, /inputs\.image\.min: found 2, which is above max 1/],
    ['models', {}, /models: found none/],
    ['tenants.0.keys.0.models', ['other'], /found "other"; expected one of digits/],
    ['tenants.0.keys.0.sha256', 'secret-by-mistake', /found a text of 17 characters/],
    ['listen.admin.token', { env: 'A', file: 'b' }, /listen\.admin\.token/],
  ])('is refused when %s is %j', (path, value, expected) => {
    expect(problemsOf(withValue(path, value)).join('\n')).toMatch(expected);
  });

  it('never repeats what may be a secret in a message', () => {
    expect(problemsOf(withValue('tenants.0.keys.0.sha256', 'sl_live_secret')).join('\n')).not.toContain('sl_live_secret');
  });

  it('is refused beyond loopback when a secret would be generated', () => {
    const text = withValue('listen', { http: { host: '0.0.0.0' }, admin: { token: { generate: true } } });
    expect(problemsOf(text)).toEqual([expect.stringContaining('listen.admin.token: a generated secret works on loopback only')]);
  });

  it('is refused when a credential would travel in clear text', () => {
    const backend = { kind: 'grpc', endpoints: ['models.example:8001'], credential: { env: 'X' } };
    expect(problemsOf(withValue('models.digits.variants.0.backend', backend)).join()).toContain('clear text');
    expect(problemsOf(withValue('models.digits.variants.0.backend', { ...backend, endpoints: ['127.0.0.1:8001'] }))).toEqual([]);
  });

  it('is refused when rows that do not agree would share runs', () => {
    const text = withValue('models.digits.rowsAgree', false);
    expect(problemsOf(text)).toEqual([]);
    const batched = { ...VALID.models.digits.variants[0]!.backend, batching: { maxRows: 8 } };
    const both = {
      ...VALID.models.digits,
      rowsAgree: false,
      variants: [{ ...VALID.models.digits.variants[0], backend: batched }],
    };
    expect(problemsOf(withValue('models.digits', both))).toEqual([
      expect.stringContaining('models.digits.variants.0.backend.batching: found batching beside rowsAgree: false'),
    ]);
  });

  it('is refused when values of answers would be kept beside guards that judge answers', () => {
    const guards = { output: [{ kind: 'denyList', name: 'words', phrases: ['secret'] }] };
    const model = { ...VALID.models.digits, comparison: { tensors: 'values' } };
    expect(problemsOf(withValue('models.digits', model))).toEqual([]);
    expect(problemsOf(withValue('models.digits', { ...model, guards }))).toEqual([
      expect.stringContaining('models.digits.comparison.tensors: found "values" beside output guards'),
    ]);
  });

  it('is refused when canaries ask for more than everything, or names and labels collide', () => {
    const backend = { kind: 'grpc', endpoints: ['h:1'] };
    const variants = [
      VALID.models.digits.variants[0],
      { name: 'v2', role: 'canary', weight: 60, backend },
      { name: 'v3', role: 'canary', weight: 60, labels: ['v2'], backend },
    ];
    const problems = problemsOf(withValue('models.digits.variants', variants)).join('\n');
    expect(problems).toContain('sum to 120 %');
    expect(problems).toContain('"v2" twice');
  });

  it('is refused by a stated limit when it has too many models, and tells no more problems than anybody reads', () => {
    const models = (count: number): string => Array.from({ length: count }, (_, i) => `  m${i}: 0`).join('\n');
    expect(problemsOf(`models:\n${models(100_000)}`)).toEqual(['models: found 100000; expected at most 10000']);
    const crowd = (): unknown => parseConfig(`models:\n${models(1_000)}`, 'c.yaml');
    expect(crowd).toThrow(/1002 problems[\s\S]* {2}and 902 more$/);
  });

  it('is read, or refused with a place and a reason, whichever of its values is blank', () => {
    const demo = readFileSync(join(import.meta.dirname, '../../../config/demo.yaml'), 'utf8');
    const tree: unknown = parse(demo);
    let refused = 0;
    for (const path of leavesOf(tree)) {
      for (const blank of ['', null, [], {}]) {
        for (const problem of problemsOf(JSON.stringify(replaced(tree, path, blank)))) {
          refused++;
          expect(problem).toMatch(/^[\w.-]*: .{10,}/);
        }
      }
    }
    expect(refused).toBeGreaterThan(200);
  });

  it('names the place of a key that stands twice', () => {
    expect(problemsOf('a:\n  - b: {c: 1, d: 2, c: 3}')).toEqual(['a.b.c: not YAML: the key stands twice']);
  });

  it('is refused when it is no YAML, has a key twice, or unfolds without bound', () => {
    expect(problemsOf('a: [')).toEqual([expect.stringContaining('not YAML')]);
    expect(problemsOf('a: 1\na: 2')).toEqual([expect.stringContaining('not YAML')]);
    const bomb = [
      'a: &a [x, x, x, x, x, x, x, x, x]',
      ...'bcdefghi'.split('').map((c, i) => `${c}: &${c} [${`*${'abcdefghi'[i]},`.repeat(9)}]`),
    ].join('\n');
    expect(problemsOf(bomb)).toEqual([expect.stringContaining('not YAML')]);
  });
});
