import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BufferedDestination, wholeLines } from '../../../src/telemetry/log-destination.ts';

describe('BufferedDestination', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-log-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('has written every line, in order, when a flush resolves', async () => {
    const file = join(folder, 'a.log');
    const destination = new BufferedDestination(file);
    const lines = Array.from({ length: 5_000 }, (_, i) => `${i} ${'ü'.repeat(i % 40)}\n`);
    for (const line of lines) destination.write(line);
    await destination.flush();
    expect(readFileSync(file, 'utf8')).toBe(lines.join(''));
    expect(destination.linesDropped).toBe(0);
  });

  it('also flushes the lines that come while it is writing', async () => {
    const file = join(folder, 'a.log');
    const destination = new BufferedDestination(file);
    destination.write('first\n');
    const first = destination.flush();
    destination.write('second\n');
    await Promise.all([first, destination.flush()]);
    expect(readFileSync(file, 'utf8')).toBe('first\nsecond\n');
  });

  it('appends to a file that is there, and lets only its owner read a new one', async () => {
    const file = join(folder, 'a.log');
    for (const line of ['one\n', 'two\n']) {
      const destination = new BufferedDestination(file);
      destination.write(line);
      await destination.flush();
    }
    expect(readFileSync(file, 'utf8')).toBe('one\ntwo\n');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('resolves a flush of nothing at once', async () => {
    await new BufferedDestination(join(folder, 'a.log')).flush();
  });

  it('drops and counts lines when nothing can be written and its room is full', () => {
    if (!existsSync('/dev/full')) return;
    const destination = new BufferedDestination('/dev/full');
    const line = `${'x'.repeat(65_535)}\n`;
    // The first line is on its way at once; 128 more fill 8 MiB.
    for (let i = 0; i < 200; i++) destination.write(line);
    expect(destination.linesDropped).toBe(200 - 129);
  });

  it('writes what is left when the process ends without a flush', () => {
    const file = join(folder, 'a.log');
    const module = new URL('../../../src/telemetry/log-destination.ts', import.meta.url).href;
    const script = `const { BufferedDestination } = await import('${module}');
      new BufferedDestination(${JSON.stringify(file)}).write('last words\\n');
      process.exit(3);`;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script]);
    expect(child.status).toBe(3);
    expect(readFileSync(file, 'utf8')).toBe('last words\n');
  });

  it('lets the process end on a device that is full', () => {
    if (!existsSync('/dev/full')) return;
    const module = new URL('../../../src/telemetry/log-destination.ts', import.meta.url).href;
    const script = `const { BufferedDestination } = await import('${module}');
      new BufferedDestination('/dev/full').write('lost words\\n');`;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 4_000 });
    expect(child.status).toBe(0);
  });
});

describe('lines for a pipe that several processes share', () => {
  it('go out whole, as many as one write keeps together', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40), { minLength: 1 }), fc.integer({ min: 10, max: 60 }), (lengths, maxBytes) => {
        const piece = Buffer.from(lengths.map((length) => `${'x'.repeat(length)}\n`).join(''));
        let at = 0;
        while (at < piece.length) {
          const size = wholeLines(piece, at, maxBytes);
          const written = piece.subarray(at, at + size);
          expect(written.at(-1)).toBe(0x0a);
          const lines = written.toString().split('\n').length - 1;
          expect(size <= maxBytes || lines === 1).toBe(true);
          at += size;
        }
        expect(at).toBe(piece.length);
      }),
    );
  });
});
