import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load-config.ts';
import { preflight } from '../../../src/runtime/preflight.ts';

it('says everything that a config names and that is not there, and nothing when all of it is', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-preflight-'));
  const file = join(dir, 'c.yaml');
  const onnx = { kind: 'onnx', path: 'm.onnx', sha256: '0'.repeat(64) };
  const grpc = { kind: 'grpc', endpoints: ['h:1'], credential: { file: 'secret' }, tls: { caFile: 'ca.pem' } };
  const config = {
    listen: { admin: { token: { env: 'ADMIN' } } },
    audit: { file: 'nowhere/audit.jsonl' },
    tenants: [{ id: 'a', keys: [{ id: 'aaaa0001', secret: { env: 'KEY' } }] }],
    models: {
      one: { variants: [{ name: 'v1', role: 'stable', backend: onnx }] },
      two: { variants: [{ name: 'v1', role: 'stable', backend: grpc }] },
    },
  };
  writeFileSync(file, JSON.stringify(config));
  const paths = (env: Record<string, string>): string[] => preflight(loadConfig(file), env).map((problem) => problem.path);
  expect(paths({})).toEqual([
    'listen.admin.token',
    'tenants.0.keys.0.secret',
    'models.one.variants.0.backend.path',
    'models.two.variants.0.backend.credential',
    'models.two.variants.0.backend.tls.caFile',
    'audit.file',
  ]);
  for (const name of ['secret', 'ca.pem', 'm.onnx']) writeFileSync(join(dir, name), 'x');
  writeFileSync(file, JSON.stringify({ ...config, audit: { file: 'audit.jsonl' } }));
  expect(paths({ ADMIN: 'tok-of-16-letters', KEY: 'y' })).toEqual(['models.one.variants.0.backend.sha256']);
  writeFileSync(file, JSON.stringify({ ...config, audit: { file: '/dev/stdout' } }));
  expect(paths({ ADMIN: 'tok-of-16-letters', KEY: 'y' })).toContain('audit.file');
  rmSync(dir, { recursive: true });
});

it('refuses an admin token that nobody could send, as its owner would be locked out', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-preflight-'));
  const file = join(dir, 'c.yaml');
  writeFileSync(join(dir, 'm.onnx'), 'x');
  const backend = { kind: 'onnx', path: 'm.onnx' };
  const models = { one: { variants: [{ name: 'v1', role: 'stable', backend }] } };
  const tenants = [{ id: 'a', keys: [{ id: 'aaaa0001', sha256: '0'.repeat(64) }] }];
  writeFileSync(file, JSON.stringify({ listen: { admin: { token: { env: 'ADMIN' } } }, tenants, models }));
  const problems = (ADMIN: string): string[] => preflight(loadConfig(file), { ADMIN }).map(({ message }) => message);
  for (const token of ['short', 'x'.repeat(513), 'sixteen letters, and spaces', 'sechzehn-große-Buchstaben']) {
    expect(problems(token)).toEqual([
      `found a text of ${token.length} characters; expected 16 to 512 visible ASCII characters without spaces`,
    ]);
  }
  expect(problems('x'.repeat(512))).toEqual([]);
  rmSync(dir, { recursive: true });
});
