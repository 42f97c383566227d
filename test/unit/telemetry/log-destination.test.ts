import { spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  read as fsRead,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { wholeLines } from '../../../src/telemetry/log-descriptor.ts';
import { BufferedDestination } from '../../../src/telemetry/log-destination.ts';

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

describe('BufferedDestination on a pipe', () => {
  let folder: string;
  let name: string;
  let reader: number;
  let writer: number;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-log-'));
    name = join(folder, 'pipe');
    spawnSync('mkfifo', [name]);
    reader = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK);
    writer = openSync(name, 'w');
  });
  afterEach(() => {
    closeSync(writer);
    rmSync(folder, { recursive: true });
  });

  const linesOf = (count: number, sizeOf: (i: number) => number): string[] =>
    Array.from({ length: count }, (_, i) => `${i} ${'x'.repeat(sizeOf(i))}\n`);

  it('writes at once what there is room for', () => {
    const lines = linesOf(40, () => 450);
    const destination = new BufferedDestination(writer);
    for (const line of lines) destination.write(line);
    const read = Buffer.alloc(65_536);
    const text = read.toString('utf8', 0, readSync(reader, read));
    closeSync(reader);
    expect(text.length).toBeGreaterThan(16_000);
    expect(lines.join('').startsWith(text)).toBe(true);
    expect(text.endsWith('\n')).toBe(true);
  });

  it('waits elsewhere for a slow reader, and has lost and changed nothing when he has read', async () => {
    // More than the pipe holds, with lines that no single write keeps together.
    const lines = linesOf(2_000, (i) => (i % 97 === 0 ? 9_000 : (i * 7) % 900));
    const destination = new BufferedDestination(writer);
    for (const line of lines) destination.write(line);
    const flushed = destination.flush();
    const wanted = Buffer.byteLength(lines.join(''));
    const read: Buffer[] = [];
    for (let size = 0; size < wanted; ) {
      const piece = Buffer.alloc(65_536);
      const bytes = await new Promise<number>((resolve) =>
        fsRead(reader, piece, 0, piece.length, null, (_, n) => resolve(n ?? 0)),
      );
      read.push(piece.subarray(0, bytes));
      size += bytes;
    }
    await flushed;
    closeSync(reader);
    expect(Buffer.concat(read).toString() === lines.join('')).toBe(true);
    expect(destination.linesDropped).toBe(0);
  });

  it('counts the lines that it cannot keep when nobody reads any more', () => {
    closeSync(reader);
    const destination = new BufferedDestination(writer);
    for (let i = 0; i < 200; i++) destination.write(`${'x'.repeat(65_535)}\n`);
    expect(destination.linesDropped).toBe(200 - 129);
  });

  it('writes what is left when the process ends without a flush', () => {
    closeSync(reader);
    const module = new URL('../../../src/telemetry/log-destination.ts', import.meta.url).href;
    const script = `const { BufferedDestination } = await import('${module}');
      const destination = new BufferedDestination(1);
      for (let i = 0; i < 700; i++) destination.write(i + ' ' + 'x'.repeat(90) + '\\n');
      process.exit(3);`;
    const child = spawnSync('sh', ['-c', '"$0" --input-type=module -e "$1" | cat', process.execPath, script]);
    const lines = child.stdout.toString().split('\n').slice(0, -1);
    expect(lines.map((line) => Number(line.split(' ')[0]))).toEqual(Array.from({ length: 700 }, (_, i) => i));
  });
});

describe('room in BufferedDestination', () => {
  it('takes lines written as bytes between others, and none that nobody said was whole', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-log-'));
    const destination = new BufferedDestination(join(folder, 'a.log'));
    const expected: string[] = [];
    for (let i = 0; i < 3_000; i++) {
      const line = `${i} ${'y'.repeat((i * 13) % 200)}\n`;
      if (i % 3 === 0) destination.write(line);
      else {
        const room = destination.room(i % 500 === 1 ? 100_000 : 1_000)!;
        room.raw(Buffer.from(line));
        if (i % 3 === 2) destination.added();
      }
      if (i % 3 !== 1) expected.push(line);
    }
    await destination.flush();
    expect(readFileSync(join(folder, 'a.log'), 'utf8') === expected.join('')).toBe(true);
    rmSync(folder, { recursive: true });
  });
});

describe('lines for a pipe that several processes share', () => {
  it('go out whole, as many as one write keeps together', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40), { minLength: 1 }), fc.integer({ min: 10, max: 60 }), (lengths, maxBytes) => {
        const piece = Buffer.from(lengths.map((length) => `${'x'.repeat(length)}\n`).join(''));
        let at = 0;
        while (at < piece.length) {
          const size = wholeLines(piece, at, piece.length, maxBytes);
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
