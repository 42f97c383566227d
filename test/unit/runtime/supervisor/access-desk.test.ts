import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../../../../src/config/load-config.ts';
import type { KeyIssue } from '../../../../src/core/access.ts';
import type { IssuedKey } from '../../../../src/runtime/ipc/messages.ts';
import { AccessDesk } from '../../../../src/runtime/supervisor/access-desk.ts';
import type { AuditRecord } from '../../../../src/runtime/supervisor/audit-log.ts';
import { IssuedKeys } from '../../../../src/runtime/supervisor/issued-keys.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const REACHED = { acknowledged: 2, total: 2 };

const configOf = (tenants: readonly string[], max = 3): ReturnType<typeof parseConfig> =>
  parseConfig(
    JSON.stringify({
      listen: { admin: { token: { generate: true }, maxIssuedKeys: max } },
      tenants: tenants.map((id) => ({
        id,
        keys: [{ id: `${id}0001`, sha256: 'a'.repeat(64), expires: '2025-01-01T00:00:00Z' }],
      })),
      models: { m: { variants: [{ name: 'v1', role: 'stable', backend: { kind: 'grpc', endpoints: ['h:1'] } }] } },
    }),
    'test',
  );

const ISSUE: KeyIssue = {
  tenant: 'acme',
  env: 'live',
  scopes: ['infer'],
  models: ['m'],
  expires: null,
  actor: 'ann',
  reason: 'why',
  dryRun: false,
};

let dir: string;
let log: unknown[];
let full: boolean;
let config: ReturnType<typeof configOf>;
let revoked: Set<string>;
let lookups: number;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sluice-access-'));
  log = [];
  full = false;
  config = configOf(['acme']);
  revoked = new Set();
  lookups = 0;
});
afterEach(() => rmSync(dir, { recursive: true }));

function deskOf(issued = new IssuedKeys(dir)): AccessDesk {
  return new AccessDesk({
    fleet: {
      broadcast: (name: string, takes: unknown) => {
        log.push([name, takes]);
        return Promise.resolve({ gives: [], problems: [], reached: REACHED } as never);
      },
    },
    audit: {
      write: (record: AuditRecord) => {
        if (full) throw new Error('disk full');
        log.push(record.action);
      },
      close: () => undefined,
    },
    config: () => {
      lookups++;
      return config;
    },
    book: () => ({ revokedKeys: revoked, revoke: (id) => revoked.add(id) }),
    issued,
    saveRevoked: () => '',
    wallMs: () => NOW,
  });
}

const kept = (): IssuedKey[] => (JSON.parse(readFileSync(join(dir, 'issued-keys.json'), 'utf8')) as { keys: IssuedKey[] }).keys;

describe('a key that is issued', () => {
  it('is on record, then kept, then with every worker, and then told', async () => {
    const result = await deskOf().issue(ISSUE);
    if (result.is !== 'applied') throw new Error(result.is);
    const [key] = kept();
    expect(log).toEqual(['key.issue', ['issue', key]]);
    expect(result.view).toMatchObject({ id: key!.id, state: 'active', source: 'issued', issuedBy: 'ann' });
    expect(JSON.stringify(kept())).not.toContain(result.key);
    expect(statSync(join(dir, 'issued-keys.json')).mode & 0o777).toBe(0o600);
    expect(new IssuedKeys(dir).all).toEqual([key]);
  });

  it('is not issued when it cannot be recorded or kept', async () => {
    full = true;
    expect(await deskOf().issue(ISSUE)).toEqual({ is: 'unaudited', problem: 'disk full' });
    expect(log).toEqual([]);
    full = false;
    const issued = new IssuedKeys(join(dir, 'file', 'below'));
    writeFileSync(join(dir, 'file'), '');
    expect(await deskOf(issued).issue(ISSUE)).toMatchObject({ is: 'unkept' });
    expect([log, issued.all]).toEqual([['key.issue', 'key.issue.failed'], []]);
  });

  it('makes room by dropping those that open nothing, and never those that do', async () => {
    const desk = deskOf();
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      const result = await desk.issue(ISSUE);
      if (result.is === 'applied') ids.push(result.view.id);
    }
    expect(await desk.issue(ISSUE)).toEqual({ is: 'full', max: 3 });
    expect(await desk.revoke({ keyId: ids[0]!, actor: 'ann', reason: '', dryRun: false })).toMatchObject({ is: 'applied' });
    expect(await desk.issue({ ...ISSUE, expires: '2026-02-01T00:00:00Z' })).toMatchObject({ is: 'applied' });
    expect(kept().map(({ id }) => id)).toEqual([ids[1], ids[2], expect.any(String)]);
  });

  it('opens nothing while its tenant is gone, and is not forgotten', async () => {
    const desk = deskOf();
    await desk.issue(ISSUE);
    config = configOf(['zeta']);
    expect(desk.keys().map(({ source, state }) => [source, state])).toEqual([
      ['config', 'expired'],
      ['issued', 'unused'],
    ]);
    expect(desk.tenants()).toMatchObject([{ id: 'zeta', keys: 0 }]);
    config = configOf(['acme']);
    expect(desk.tenants()).toMatchObject([{ id: 'acme', keys: 1 }]);
  });

  it('of models without end that are not there is refused in a few words', async () => {
    const models = Array.from({ length: 1_000 }, (_, i) => `no-model-${i}`);
    const result = await deskOf().issue({ ...ISSUE, models });
    if (result.is !== 'invalid') throw new Error(result.is);
    const [problem, ...others] = result.problems;
    expect(others).toEqual([]);
    expect(problem).toMatch(/^models: found "no-model-0", .*"no-model-19" and 980 more; expected some of m or "\*"$/);
  });

  it('costs no look through the config for each of those that were issued', async () => {
    config = configOf(['acme'], 100);
    const desk = deskOf();
    const cost = (): number => {
      lookups = 0;
      desk.tenants();
      return lookups;
    };
    const before = cost();
    for (let i = 0; i < 10; i++) await desk.issue(ISSUE);
    expect([cost(), desk.tenants()[0]!.keys]).toEqual([before, 10]);
  });

  it('stops the start when its file is not what it was', () => {
    writeFileSync(join(dir, 'issued-keys.json'), '{"keys":[{"id":"x"}]}');
    expect(() => new IssuedKeys(dir)).toThrow(/no list of issued keys/);
  });
});
