import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { grpcVariant, TENANTS } from '../support/configs.ts';
import { runCli } from '../support/gateway-under-test.ts';

const CONFIG = 78;
const MIB = 1_048_576;

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sluice-start-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

const VALID = {
  listen: {
    http: { port: 38_080 },
    grpc: { port: 38_081 },
    admin: { port: 38_082, token: { generate: true } },
  },
  tenants: TENANTS,
  models: { m: { variants: [grpcVariant('v1', 'stable', '127.0.0.1:1')] } },
};

async function serve(text: string): Promise<{ code: number | null; err: string }> {
  const file = join(dir, 'config.yaml');
  writeFileSync(file, text);
  const { code, err, out } = await runCli(['serve', file], { SLUICE_STATE_DIR: join(dir, 'state') });
  expect(out).not.toContain('Sluice is serving');
  return { code, err };
}

const isTaken = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

const wrong: readonly (readonly [string, string, RegExp])[] = [
  ['a key that nobody knows', stringify({ ...VALID, unknown: 1 }), /unknown: unknown key/],
  [
    'a port that is none',
    stringify({ ...VALID, listen: { ...VALID.listen, http: { port: 99_999 } } }),
    /listen\.http\.port: .*99999/,
  ],
  ['no models', stringify({ ...VALID, models: {} }), /models: found none/],
  [
    'a model file that is not there',
    stringify({
      ...VALID,
      models: { m: { variants: [{ name: 'v1', role: 'stable', backend: { kind: 'onnx', path: 'no.onnx' } }] } },
    }),
    /models\.m.*no\.onnx/,
  ],
  [
    'a secret that is not there',
    stringify({ ...VALID, listen: { ...VALID.listen, admin: { token: { env: 'SLUICE_TEST_NOT_SET' } } } }),
    /listen\.admin\.token: found no value; expected environment variable SLUICE_TEST_NOT_SET/,
  ],
  ['half a file', stringify(VALID).slice(0, 200), /(problem|not YAML)/],
  ['nothing', '', /expected object/],
  ['bytes that are no text', '\u0000\u0001\ufffd: [', /not YAML|problem/],
  ['more than it may have', `# ${'x'.repeat(16 * MIB)}\n${stringify(VALID)}`, /found \d+ bytes; expected at most 16777216/],
];

describe('a config at start', () => {
  it.each(wrong)('with %s ends the process with 78, the place and the reason, and opens no port', async (_what, text, reason) => {
    const { code, err } = await serve(text);
    expect([code, err]).toEqual([CONFIG, expect.stringMatching(reason)]);
    expect(await Promise.all([38_080, 38_081, 38_082].map(isTaken))).toEqual([false, false, false]);
  });
});
