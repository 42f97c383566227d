import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recordIn } from '../../../../../src/runtime/supervisor/rollouts/rollout-record.ts';
import { FileRolloutStore } from '../../../../../src/runtime/supervisor/rollouts/rollout-store.ts';
import { RolloutWorld } from './world.ts';

let dir: string;
let store: FileRolloutStore;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sluice-rollouts-'));
  store = new FileRolloutStore(dir);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function someRecord() {
  const world = new RolloutWorld();
  await world.start();
  return world.disk.read().records[0]!;
}

describe('rollouts on disk', () => {
  it('are read as they were saved last, and are for their owner alone', async () => {
    const record = await someRecord();
    expect(store.read()).toEqual({ records: [], problem: '' });
    expect(store.save(record)).toBe('');
    expect(store.save({ ...record, state: 'paused' })).toBe('');
    expect(store.read()).toEqual({ records: [{ ...record, state: 'paused' }], problem: '' });
    expect(statSync(join(dir, 'rollouts', 'r1.json')).mode & 0o777).toBe(0o600);
    store.remove('r1');
    store.remove('r1');
    expect(store.read().records).toEqual([]);
  });

  it('are read as far as they can be, and it is said which cannot', async () => {
    const record = await someRecord();
    store.save(record);
    const file = join(dir, 'rollouts', 'bad.json');
    for (const text of ['', '{', 'null', '[]', '{"version":2}', JSON.stringify({ ...record, step: 9 })]) {
      writeFileSync(file, text);
      expect(store.read().records).toHaveLength(1);
      expect(store.read().problem).toContain(`${file} holds no rollout`);
    }
  });

  it('say why they could not be kept, and leave the former record as it was', async () => {
    const record = await someRecord();
    store.save(record);
    rmSync(join(dir, 'rollouts'), { recursive: true });
    // A file where a folder should be: what holds for root as well, whom no rights stop.
    writeFileSync(join(dir, 'rollouts'), '');
    expect(store.save(record)).toMatch(/EEXIST|ENOTDIR/);
    expect(store.read().problem).toContain('cannot be read (ENOTDIR)');
    chmodSync(join(dir, 'rollouts'), 0o600);
  });

  it('are not taken for whole where a write was cut', async () => {
    const record = await someRecord();
    store.save(record);
    writeFileSync(join(dir, 'rollouts', 'r1.json.new'), '{"version":1,');
    expect(store.read()).toMatchObject({ records: [{ id: 'r1' }], problem: '' });
    expect(store.save(record)).toBe('');
    expect(readdirSync(join(dir, 'rollouts'))).toEqual(['r1.json']);
  });

  it('cannot be cut anywhere and still be taken for whole', async () => {
    const text = JSON.stringify(await someRecord());
    for (let length = 0; length < text.length; length++) expect(recordIn(text.slice(0, length))).toBeNull();
    expect(recordIn(text)).not.toBeNull();
  });
});
