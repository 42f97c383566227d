import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConfigWatch } from '../../../../src/runtime/supervisor/config-watch.ts';

let dir: string;
let file: string;
let changes: number;
let watch: ConfigWatch;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  dir = mkdtempSync(join(tmpdir(), 'sluice-watch-'));
  file = join(dir, 'c.yaml');
  writeFileSync(file, 'one');
  changes = 0;
  watch = new ConfigWatch(file, { watch: true, settleMs: 200, pollMs: 5_000 }, () => changes++);
  watch.start();
});
afterEach(() => {
  watch.close();
  vi.useRealTimers();
  rmSync(dir, { recursive: true });
});

describe('ConfigWatch', () => {
  it('tells of a new text, and not of the same one written again', () => {
    vi.advanceTimersByTime(5_000);
    writeFileSync(file, 'one');
    vi.advanceTimersByTime(5_000);
    expect(changes).toBe(0);
    writeFileSync(file, 'two');
    vi.advanceTimersByTime(5_200);
    expect(changes).toBe(1);
    vi.advanceTimersByTime(20_000);
    expect(changes).toBe(1);
  });

  it('follows a file that another is put in the place of, and waits while there is none', () => {
    rmSync(file);
    vi.advanceTimersByTime(10_000);
    expect(changes).toBe(0);
    writeFileSync(join(dir, 'next'), 'two');
    renameSync(join(dir, 'next'), file);
    vi.advanceTimersByTime(5_200);
    expect(changes).toBe(1);
  });

  it('waits until a file that is being written says the same twice, where nothing but the looks at intervals tells of it', () => {
    vi.advanceTimersByTime(4_900);
    for (const half of ['mod', 'models: {', 'models: { a']) {
      writeFileSync(file, half);
      vi.advanceTimersByTime(200);
    }
    expect(changes).toBe(0);
    writeFileSync(file, 'models: { a: 1 }');
    vi.advanceTimersByTime(400);
    expect(changes).toBe(1);
  });

  it('tells of what it said before, when something else was seen meanwhile by whoever read it', () => {
    writeFileSync(file, 'two');
    watch.see();
    vi.advanceTimersByTime(10_000);
    expect(changes).toBe(0);
    writeFileSync(file, 'one');
    vi.advanceTimersByTime(5_400);
    expect(changes).toBe(1);
  });

  it('says nothing after it was closed', () => {
    watch.close();
    writeFileSync(file, 'two');
    vi.advanceTimersByTime(20_000);
    expect(changes).toBe(0);
  });
});
