import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/config/load-config.ts';
import { ConfigError } from '../../../src/config/problem.ts';
import type { Config } from '../../../src/config/schema.ts';
import { SecretReader } from '../../../src/config/secrets.ts';
import { sequenceSecret } from '../../../src/runtime/sequence-secret.ts';

const FILE = '/etc/sluice.yaml';
const BASE = `
listen: { admin: { token: { generate: true } } }
tenants: [{ id: t, keys: [{ id: abcdefgh, secret: { generate: true } }] }]
models: { m: { variants: [{ name: v1, role: stable, backend: { kind: onnx, path: m.onnx } }] } }
`;

const configWith = (more: string): Config => parseConfig(BASE + more, FILE);
const read = (more: string, env: Record<string, string> = {}): string =>
  sequenceSecret(configWith(more), new SecretReader({ baseDir: '/etc', file: FILE, env }), FILE).toString();

describe('the secret of sequences', () => {
  it('is made anew at each start where config names none', () => {
    expect(read('')).not.toBe(read(''));
    expect(read('').length).toBeGreaterThanOrEqual(32);
  });

  it('is what config names', () => {
    const secret = 'thirty-two characters or more of it';
    expect(read('sequences: { secret: { env: S } }', { S: secret })).toBe(secret);
  });

  it('is refused when it is short, without being repeated', () => {
    const short = 'only-twenty-letters!';
    const refused = (): string => read('sequences: { secret: { env: S } }', { S: short });
    expect(refused).toThrow(ConfigError);
    expect(refused).toThrow(/sequences\.secret: found 20 characters; expected at least 32/);
    expect(refused).not.toThrow(short);
  });
});
