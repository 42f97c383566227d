import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeText, pathText } from '../../../src/config/change-text.ts';
import { type ConfigChange, diffConfigs, type PathStep } from '../../../src/config/config-diff.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { type Config, config as schema } from '../../../src/config/schema.ts';

type Node = Record<string, unknown>;
type Element = Node & { readonly id?: string; readonly name?: string };

/** Makes the changes on a copy, one after another, as their words say. */
function applied(config: Config, changes: readonly ConfigChange[]): unknown {
  const copy = structuredClone(config) as unknown as Node;
  for (const { path, is, before, after } of changes) {
    if (is === 'reordered') {
      reorder(path.reduce<unknown>(stepInto, copy) as Element[], before as string[], after as string[]);
      continue;
    }
    const parent = path.slice(0, -1).reduce<unknown>(stepInto, copy);
    const last = path.at(-1)!;
    if (typeof last === 'string') {
      if (is === 'removed') delete (parent as Node)[last];
      else (parent as Node)[last] = structuredClone(after);
    } else {
      const list = parent as Element[];
      if (is === 'added') list.push(structuredClone(after) as Element);
      else if (is === 'removed') list.splice(indexOf(list, last), 1);
      else list[indexOf(list, last)] = structuredClone(after) as Element;
    }
  }
  return copy;
}

function stepInto(at: unknown, step: PathStep): unknown {
  return typeof step === 'string' ? (at as Node)[step] : (at as Element[])[indexOf(at as Element[], step)];
}

function indexOf(list: readonly Element[], step: Exclude<PathStep, string>): number {
  let left = step.nth;
  return list.findIndex((element) => (element.id ?? element.name) === step.name && --left === 0);
}

function reorder(list: Element[], before: readonly string[], after: readonly string[]): void {
  expect(list.map((element) => element.id ?? element.name)).toEqual(before);
  const rest = [...list];
  list.length = 0;
  for (const name of after) list.push(...rest.splice(indexOf(rest, { name, nth: 1 }), 1));
}

const KEY_IDS = ['acme0001', 'acme0002'];
const secret = fc.constantFrom({ env: 'A_SECRET' }, { env: 'ANOTHER' }, { file: 'secret.txt' });
const apiKey = fc.oneof(
  fc.record({ id: fc.constantFrom(...KEY_IDS), sha256: fc.constantFrom('a'.repeat(64), 'b'.repeat(64)) }),
  fc.record({ id: fc.constantFrom(...KEY_IDS), secret }),
);
const named = <T extends object>(names: readonly string[], of: fc.Arbitrary<T>, key = 'name', minLength = 0) =>
  fc
    .uniqueArray(fc.tuple(fc.constantFrom(...names), of), { selector: ([name]) => name, minLength })
    .map((pairs) => pairs.map(([name, rest]) => ({ [key]: name, ...rest })));
const tenant = fc.record({
  rate: fc.constantFrom({ requestsPerSecond: 5 }, { requestsPerSecond: 5, burst: 9 }),
  keys: fc.array(apiKey, { minLength: 1, maxLength: 4 }),
});
const guard = fc.constantFrom(
  { kind: 'bounds', min: 0 },
  { kind: 'bounds', min: 1 },
  { kind: 'denyList', phrases: ['x'] },
  { kind: 'confidence', floor: 0.5 },
);
const variant = fc.record({
  role: fc.constantFrom('stable', 'canary', 'shadow'),
  weight: fc.constantFrom(0, 5, 12.5),
  labels: fc.constantFrom([], ['new'], ['new', 'old']),
  backend: fc.constantFrom(
    { kind: 'grpc', endpoints: ['h:1'] },
    { kind: 'grpc', endpoints: ['h:2'], credential: { env: 'X' } },
    { kind: 'onnx', path: 'm.onnx', batching: { maxRows: 3 } },
  ),
});
const model = fc.record({
  timeoutMs: fc.constantFrom(100, 200),
  cache: fc.constantFrom(null, { ttlMs: 5 }, { ttlMs: 6 }),
  guards: fc.record({ input: named(['g1', 'g2', 'g3'], guard), output: named(['g1'], guard) }),
  variants: named(['v1', 'v2', 'v3'], variant, 'name', 1),
});
/** Parsed without the rules between keys, so that more shapes occur than a gateway would take. */
const anyConfig = fc
  .record({
    listen: fc.record({ admin: fc.record({ token: secret, port: fc.constantFrom(1, 2) }) }),
    tenants: named(['acme', 'umbrella', 'b.c'], tenant, 'id', 1),
    models: fc.dictionary(fc.constantFrom('digits', 'spam', 'a.b'), model, { maxKeys: 3 }),
    stateDir: fc.constantFrom('x', 'y'),
  })
  .map((input) => schema.parse(input));

const base = loadConfig(join(import.meta.dirname, '../../../config/demo.yaml')).config;
const edited = (edit: (config: Config) => void): Config => {
  const copy = structuredClone(base);
  edit(copy);
  return copy;
};
const lines = (before: Config, after: Config): string[] =>
  diffConfigs(before, after).map((change) => `${change.appliedBy} ${pathText(change.path)}: ${changeText(change)}`);
const mutable = <T>(value: T): { -readonly [K in keyof T]: T[K] } => value as never;

describe('the difference of two configs', () => {
  it('is nothing between a config and itself', () => {
    fc.assert(
      fc.property(anyConfig, (config) => {
        expect(diffConfigs(config, structuredClone(config))).toEqual([]);
      }),
      { seed: 20_262, numRuns: 100 },
    );
  });

  it('makes the second of the first when its changes are applied in order', () => {
    fc.assert(
      fc.property(anyConfig, anyConfig, (before, after) => {
        expect(applied(before, diffConfigs(before, after))).toEqual(after);
      }),
      { seed: 20_263, numRuns: 400 },
    );
  });

  it('is a new plan for weights alone, worker processes for nearly all else, and a restart for what belongs to the whole', () => {
    const after = edited((config) => {
      const digits = config.models['digits']!;
      mutable(digits.variants[1]!).weight = 1_250;
      mutable(digits.variants[1]!.price).perRowUsd = 2_500;
      mutable(digits).timeoutMs = 9;
      mutable(config.listen.admin).port = 9_000;
      mutable(config).stateDir = 'elsewhere';
    });
    expect(lines(base, after)).toEqual([
      'restart listen.admin.port: 8082 → 9000',
      'workers models.digits.timeoutMs: 2000 → 9',
      'plan models.digits.variants[v2].weight: 5 % → 12.5 %',
      'workers models.digits.variants[v2].price.perRowUsd: $0.0000015 → $0.0000025',
      'restart stateDir: ".sluice" → "elsewhere"',
    ]);
  });

  it('stays short when thousands of tenants change their places', () => {
    const [first] = base.tenants;
    const tenants = Array.from({ length: 3_000 }, (_, i) => ({ ...first!, id: `tenant-with-a-long-name-${i}` }));
    const before = edited((config) => mutable(config.tenants).splice(0, Infinity, ...tenants));
    const after = edited((config) => mutable(config.tenants).splice(0, Infinity, ...tenants.toReversed()));
    const [line, ...others] = lines(before, after);
    expect(others).toEqual([]);
    expect(line).toMatch(/^workers tenants: order tenant-with-a-long-name-0, .*… → tenant-with-a-long-name-2999, .*…$/);
    expect(line!.length).toBeLessThan(300);
  });

  it('does not repeat the address of a webhook, which is its own credential', () => {
    const after = edited((config) => {
      const url = 'https://hooks.example/T0/B0/XyZ';
      mutable(config.rollouts).webhooks = schema.shape.rollouts.parse({ webhooks: [{ url }] }).webhooks;
    });
    expect(lines(base, after)).toEqual(['workers rollouts.webhooks: changed']);
  });

  it('takes new worker processes for a variant that comes with its weight', () => {
    const after = edited((config) => {
      const { variants } = config.models['digits']!;
      variants.push({ ...structuredClone(variants[1]!), name: 'v9', weight: 100 });
      config.models['spam']!.variants.splice(1, 1);
    });
    expect(lines(base, after)).toEqual([
      expect.stringMatching(/^workers models\.digits\.variants\[v9\]: added: \{"name":"v9","role":"canary".*"weight":"1 %"/),
      expect.stringMatching(/^workers models\.spam\.variants\[v2\]: removed: /),
    ]);
  });

  it('names what stands in another order', () => {
    const after = edited((config) => config.models['spam']!.guards.input.reverse());
    expect(lines(base, after)).toEqual(['workers models.spam.guards.input: order no-injection, no-pii → no-pii, no-injection']);
  });

  it('shows nothing of a secret but that it changed', () => {
    const digest = (digit: string): string => digit.repeat(64);
    const of = (digit: string, env: string): Config =>
      schema.parse({
        listen: { admin: { token: { env } } },
        tenants: [{ id: 'acme', keys: [{ id: 'acme0001', sha256: digest(digit) }] }],
        models: {
          m: {
            variants: [
              { name: 'v1', role: 'stable', backend: { kind: 'grpc', endpoints: ['h:1'], credential: { env } } },
              ...(digit === 'b'
                ? [{ name: 'v2', role: 'canary', backend: { kind: 'grpc', endpoints: ['h:1'], credential: { env } } }]
                : []),
            ],
          },
        },
        sequences: { secret: { env } },
        telemetry: { otlp: { endpoint: `http://${env}:pass@collector/v1?key=${digit}` } },
      });
    const text = lines(of('a', 'HIDDEN_ONE'), of('b', 'HIDDEN_TWO'));
    expect(text.join('\n')).not.toMatch(/HIDDEN|pass|aaaa|bbbb|key=/);
    expect(text.slice(0, 3)).toEqual([
      'restart listen.admin.token.env: changed',
      'workers tenants[acme].keys[acme0001].sha256: changed',
      'workers models.m.variants[v1].backend.credential.env: changed',
    ]);
    expect(text.at(-1)).toBe('workers telemetry.otlp.endpoint: "http://collector/v1 (secret)" → "http://collector/v1 (secret)"');
  });
});
