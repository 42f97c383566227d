import { describe, expect, it } from 'vitest';
import { shownConfig } from '../../../src/config/change-text.ts';
import { parseConfig } from '../../../src/config/load-config.ts';

const CANARY = 'canary-of-a-secret';

describe('a config as it is shown', () => {
  const config = parseConfig(
    JSON.stringify({
      listen: {
        admin: {
          token: { file: CANARY },
          tokens: [
            { name: 'ci', role: 'operator', sha256: 'c'.repeat(64) },
            { name: 'desk', role: 'key-admin', secret: { env: CANARY } },
          ],
        },
      },
      sequences: { secret: { env: CANARY } },
      telemetry: { otlp: { endpoint: `https://u:${CANARY}@collector/v1?api-key=${CANARY}` } },
      tenants: [{ id: 'acme', keys: [{ id: 'acme0001', sha256: 'c'.repeat(64) }] }],
      models: {
        m: {
          variants: [
            {
              name: 'v1',
              role: 'stable',
              price: { version: '1', perRequestUsd: 0.001 },
              backend: { kind: 'http', endpoints: ['https://h:1'], credential: { file: CANARY } },
            },
            { name: 'v2', role: 'canary', weight: 5, backend: { kind: 'grpc', endpoints: ['h:1'] } },
          ],
        },
      },
    }),
    'test',
  );
  const shown = shownConfig(config);

  it('holds nothing of a secret, of a digest or of a credential in an address', () => {
    const text = JSON.stringify(shown);
    expect(text).not.toContain(CANARY);
    expect(text).not.toContain('c'.repeat(64));
    expect(text).toContain('https://collector/v1');
  });

  it('holds everything else, in the units of the file', () => {
    expect(shown).toMatchObject({
      listen: { admin: { tokens: [{ name: 'ci', role: 'operator', sha256: '(secret)' }, { secret: '(secret)' }] } },
      tenants: [{ id: 'acme', keys: [{ id: 'acme0001', scopes: ['infer'] }] }],
      models: { m: { variants: [{ price: { perRequestUsd: '$0.001' } }, { weight: '5 %' }] } },
      limits: { maxTensors: 64 },
    });
  });

  it('masks the address of a webhook, which is its own credential', () => {
    const hooks = { webhooks: [{ url: `https://hooks.example/services/${CANARY}` }] } as unknown as typeof config;
    expect(shownConfig(hooks)).toEqual({ webhooks: [{ url: 'https://hooks.example/ (secret)' }] });
  });
});

describe('tokens of the admin port', () => {
  const check = (tokens: readonly object[], host = '127.0.0.1'): (() => unknown) => {
    const admin = { host, token: { env: 'T' }, tokens, tls: host === '127.0.0.1' ? null : { certFile: 'c', keyFile: 'k' } };
    const backend = { kind: 'grpc', endpoints: ['h:1'] };
    const tenants = [{ id: 'a', keys: [{ id: 'a0000001', sha256: 'a'.repeat(64) }] }];
    const models = { m: { variants: [{ name: 'v', role: 'stable', backend }] } };
    return () => parseConfig(JSON.stringify({ listen: { admin }, tenants, models }), 'test');
  };
  const token = (name: string, more: object = {}): object => ({ name, role: 'viewer', sha256: 'b'.repeat(64), ...more });

  it.each([
    ['an unknown role', [token('a', { role: 'janitor' })], 'role'],
    ['a name twice', [token('a'), token('a', { sha256: 'd'.repeat(64) })], 'twice'],
    ['the name of the first token', [token('admin-token')], 'admin-token'],
    ['a digest twice', [token('a'), token('b')], 'digest of another'],
  ])('are refused with %s', (_, tokens, word) => {
    expect(check(tokens)).toThrow(word);
  });

  it('are never made at start beyond loopback', () => {
    const made = [{ name: 'a', role: 'viewer', secret: { generate: true } }];
    expect(check(made)).not.toThrow();
    expect(check(made, '10.0.0.1')).toThrow(/tokens.0.secret.*loopback/);
  });
});
