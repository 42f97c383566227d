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
  expect(paths({ ADMIN: 'x', KEY: 'y' })).toEqual(['models.one.variants.0.backend.sha256']);
  rmSync(dir, { recursive: true });
});
