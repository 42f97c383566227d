import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type LoadedConfig, loadConfig } from '../../../../src/config/load-config.ts';
import type { AuditRecord } from '../../../../src/runtime/supervisor/audit-log.ts';
import type { RollOutcome } from '../../../../src/runtime/supervisor/fleet.ts';
import { Reloader } from '../../../../src/runtime/supervisor/reloader.ts';
import type { Log } from '../../../../src/telemetry/access-log.ts';

const SILENT = { info: () => undefined, error: () => undefined } as unknown as Log;

const config = (weight: number): object => ({
  listen: { admin: { token: { generate: true } } },
  tenants: [{ id: 'a', keys: [{ id: 'a0000001', sha256: 'a'.repeat(64) }] }],
  models: {
    m: {
      variants: [
        { name: 'v1', role: 'stable', backend: { kind: 'grpc', endpoints: ['127.0.0.1:1'] } },
        { name: 'v2', role: 'canary', weight, backend: { kind: 'grpc', endpoints: ['127.0.0.1:1'] } },
      ],
    },
  },
});

let dir: string;
let file: string;
let inForce: LoadedConfig;
let full: boolean;
let outcome: RollOutcome;
let log: (string | AuditRecord)[];
let reloader: Reloader;
let wait: Promise<void>;
let busyTimes: number;
let pauses: number[];

const write = (value: object): void => writeFileSync(file, stringify(value));

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sluice-reload-'));
  file = join(dir, 'c.yaml');
  write(config(1));
  inForce = loadConfig(file);
  full = false;
  log = [];
  wait = Promise.resolve();
  busyTimes = 0;
  pauses = [];
  outcome = { is: 'rolled', generation: 2 };
  reloader = new Reloader({
    file,
    env: {},
    current: () => inForce,
    audit: {
      write: (record) => {
        if (full) throw new Error('disk full');
        log.push(record);
      },
      close: () => undefined,
    },
    log: SILENT,
    metrics: { reloadFailed: (failed) => log.push(failed ? 'failed' : 'good') },
    reading: () => undefined,
    apply: async () => {
      log.push('apply');
      await wait;
      if (busyTimes === 0) return outcome;
      busyTimes--;
      return { is: 'busy' };
    },
    pause: (ms) => {
      pauses.push(ms);
      return Promise.resolve();
    },
  });
});
afterEach(() => rmSync(dir, { recursive: true }));

const WHO = { actor: 'ann', reason: 'why' };

describe('a reload', () => {
  it('stands on record before it takes effect, with what changes', async () => {
    write(config(5));
    const changed = ['models.m.variants[v2].weight: 1 % → 5 %'];
    expect(await reloader.reloadFor(WHO)).toEqual({ is: 'applied', generation: 2, changed });
    expect(log).toMatchObject([{ action: 'config.reload', ...WHO, after: { changed } }, 'apply', 'good']);
  });

  it.each(['signal', 'file'] as const)('that comes by %s does not happen when it cannot be recorded', async (cause) => {
    write(config(5));
    full = true;
    await reloader.reload(cause);
    expect(log).toEqual(['failed']);
    expect(await reloader.reloadFor(WHO)).toEqual({ is: 'unaudited', problem: 'disk full' });
    expect(log).toEqual(['failed', 'failed']);
  });

  it('that new workers cannot follow is on record as refused', async () => {
    write(config(5));
    outcome = { is: 'failed', problem: 'no such file' };
    expect(await reloader.reloadFor(WHO)).toEqual({ is: 'refused', problem: 'no such file' });
    expect(log).toMatchObject([
      { action: 'config.reload' },
      'apply',
      { action: 'config.refused', actor: 'ann', reason: 'no such file' },
      'failed',
    ]);
  });

  it('that is refused for reasons without end stands on record with the first of them', async () => {
    write(config(5));
    outcome = { is: 'failed', problem: 'x'.repeat(300_000) };
    await reloader.reloadFor(WHO);
    expect(log[2]).toMatchObject({ action: 'config.refused', reason: 'x'.repeat(4_096) });
  });

  it('is one at a time: who asks for another is told so, and what the file says meanwhile is taken over behind it', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    wait = promise;
    const first = reloader.reloadFor(WHO);
    expect(await reloader.reloadFor(WHO)).toEqual({ is: 'busy' });
    write(config(7));
    const second = reloader.reload('file');
    resolve();
    expect((await first).is).toBe('applied');
    await second;
    expect(log.filter((each) => each === 'apply').length).toBe(2);
  });

  it('can be looked at without anything happening', () => {
    write(config(5));
    expect(reloader.look().texts).toEqual(['models.m.variants[v2].weight: 1 % → 5 %']);
    write({ ...config(5), nonsense: 1 });
    expect(reloader.look().problem).toContain('nonsense: unknown key');
    expect(log).toEqual([]);
  });

  it('of the file waits for new workers that somebody else has asked for, rather than lose the change', async () => {
    write(config(5));
    busyTimes = 2;
    await reloader.reload('file');
    expect(pauses).toEqual([1_000, 1_000]);
    expect(log).toMatchObject([{ action: 'config.reload' }, 'apply', 'apply', 'apply', 'good']);
  });

  it('of the file waits for them with a bound, and one that somebody asks for does not wait', async () => {
    write(config(5));
    busyTimes = Number.POSITIVE_INFINITY;
    expect(await reloader.reloadFor(WHO)).toMatchObject({ is: 'refused' });
    expect(pauses).toEqual([]);
    await reloader.reload('file');
    expect([pauses.length, log.at(-1)]).toEqual([599, 'failed']);
  });
});
