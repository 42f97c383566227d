import { describe, expect, it } from 'vitest';
import { crossCheck } from '../../../src/config/cross-checks.ts';
import { config as configSchema } from '../../../src/config/schema.ts';

function problemsOf(backend: object): string[] {
  const parsed = configSchema.safeParse({
    listen: { admin: { token: { env: 'T' } } },
    tenants: [{ id: 't', keys: [{ id: 'key00001', secret: { env: 'K' } }] }],
    models: { m: { variants: [{ name: 'v1', role: 'stable', backend: { kind: 'http', ...backend } }] } },
  });
  if (!parsed.success) return parsed.error.issues.map(({ path, message }) => `${String(path.at(-1))}: ${message}`);
  return crossCheck(parsed.data).map(({ path, message }) => `${path.replace('models.m.variants.0.backend.', '')}: ${message}`);
}

describe('the config of an http backend', () => {
  it.each(['http://host', 'http://10.0.0.1:8000/', 'https://models.example.com:8443/serving/v-1', 'http://[::1]:8000'])(
    'takes the url %s',
    (url) => {
      expect(problemsOf({ endpoints: [url] })).toEqual([]);
    },
  );

  it.each([
    'host:8000',
    'ftp://host',
    'http://user:pass@host',
    'http://host?x=1',
    'http://host#x',
    'http://host/a/../b',
    'http://host/%2e%2e',
    'http://host:99999',
    'http://ho st',
    'http://host/a\r\nb',
  ])('refuses the url %s', (url) => {
    expect(problemsOf({ endpoints: [url] })[0]).toMatch(/^0: expected/);
  });

  it.each(['..', 'a/b', '7?x', ' '])('refuses the version "%s", which would not stay in its place of the path', (version) => {
    expect(problemsOf({ endpoints: ['http://host'], version }).length).toBeGreaterThan(0);
  });

  it('takes several endpoints, each of them once, and none of them in clear text where others are not', () => {
    const endpoints = ['https://a:1', 'https://b:1'];
    expect(problemsOf({ endpoints, credential })).toEqual([]);
    expect(problemsOf({ endpoints: [...endpoints, 'https://a:1'] })).toEqual(['endpoints.2: found https://a:1 twice']);
    expect(problemsOf({ endpoints: [...endpoints, 'http://c:1'], credential })).toEqual([
      'credential: would travel in clear text to http://c:1; use an https url',
    ]);
    expect(problemsOf({ endpoints: [] }).length).toBe(1);
    expect(problemsOf({ endpoints: Array.from({ length: 65 }, (_, i) => `http://a:${i + 1}`) }).length).toBe(1);
  });

  const credential = { env: 'C' };

  it('lets no credential travel in clear text beyond this machine', () => {
    expect(problemsOf({ endpoints: ['http://models.example:8000'], credential })).toEqual([
      'credential: would travel in clear text to http://models.example:8000; use an https url',
    ]);
    expect(problemsOf({ endpoints: ['http://127.0.0.1:8000'], credential })).toEqual([]);
    expect(problemsOf({ endpoints: ['http://[::1]:8000'], credential })).toEqual([]);
    expect(problemsOf({ endpoints: ['https://models.example:8000'], credential })).toEqual([]);
  });

  it('wants tls beside https alone, and both files of a client certificate', () => {
    expect(problemsOf({ endpoints: ['http://127.0.0.1'], tls: { caFile: 'ca.pem' } })[0]).toMatch(/^tls: found beside http:/);
    expect(problemsOf({ endpoints: ['https://127.0.0.1'], tls: { certFile: 'c.pem' } })[0]).toMatch(/^tls: found one of/);
    expect(problemsOf({ endpoints: ['https://127.0.0.1'], tls: { caFile: 'ca.pem' } })).toEqual([]);
  });
});
