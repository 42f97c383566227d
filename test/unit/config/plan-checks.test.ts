import { describe, expect, it } from 'vitest';
import { diffConfigs } from '../../../src/config/config-diff.ts';
import { parseConfig } from '../../../src/config/load-config.ts';
import type { Config } from '../../../src/config/schema.ts';

/** A config with a stable v1, a canary v2, a shadow v3, and `more` lines of the model. */
const configWith = (...more: string[]): Config =>
  parseConfig(
    [
      'listen: { admin: { token: { generate: true } } }',
      'tenants: [{ id: acme, keys: [{ id: aaaa0001, secret: { generate: true } }] }]',
      'models:',
      '  m:',
      '    variants:',
      ...['stable', 'canary', 'shadow'].map(
        (role, i) => `      - { name: v${i + 1}, role: ${role}, backend: { kind: grpc, endpoints: ['127.0.0.1:1'] } }`,
      ),
      ...more.map((line) => `    ${line}`),
    ].join('\n'),
    'c.yaml',
  );

describe('pins and fallbacks in a config', () => {
  it('are taken as they stand, and none and stable without them', () => {
    const { pins, fallbacks } = configWith().models['m']!;
    expect([pins, fallbacks]).toEqual([[], null]);
    const both = configWith(
      'pins: [{ tenant: acme, variant: v2 }, { header: x-c, value: "a b", variant: v1 }]',
      'fallbacks: [v1, v2]',
    );
    expect(both.models['m']).toMatchObject({
      pins: [
        { tenant: 'acme', variant: 'v2' },
        { header: 'x-c', value: 'a b', variant: 'v1' },
      ],
      fallbacks: ['v1', 'v2'],
    });
  });

  it.each([
    ['pins: [{ tenant: acme, variant: v9 }]', 'models.m.pins.0.variant: found "v9"; expected one of "v1", "v2"'],
    ['pins: [{ tenant: acme, variant: v3 }]', 'found "v3", a shadow, which carries no traffic'],
    ['pins: [{ tenant: other, variant: v1 }]', 'models.m.pins.0.tenant: found "other"; expected a tenant of the config'],
    ['pins: [{ tenant: acme, variant: v1 }, { tenant: acme, variant: v2 }]', 'models.m.pins.1: found tenant:acme twice'],
    ['pins: [{ header: authorization, value: x, variant: v1 }]', 'carries credentials; pin the tenant instead'],
    [`pins: [${[1, 2, 3, 4, 5].map((n) => `{ header: x-${n}, value: a, variant: v1 }`).join(', ')}]`, 'a header field beyond 4'],
    ['pins: [{ header: X-C, value: a, variant: v1 }]', 'models.m.pins.0'],
    ['fallbacks: [v3]', 'models.m.fallbacks.0: found "v3", a shadow'],
    ['fallbacks: [v1, v1]', 'models.m.fallbacks.1: found "v1" twice'],
  ])('are refused as %s', (line, problem) => {
    expect(() => configWith(line)).toThrow(problem);
  });

  it('come into force by a new plan, as weights do', () => {
    const changes = diffConfigs(configWith(), configWith('pins: [{ tenant: acme, variant: v2 }]', 'fallbacks: []'));
    expect(changes.map(({ path, appliedBy }) => [path.join('.'), appliedBy])).toEqual([
      ['models.m.pins', 'plan'],
      ['models.m.fallbacks', 'plan'],
    ]);
  });
});
