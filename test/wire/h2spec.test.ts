import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WireServerProcess } from './support/wire-server-process.ts';

const H2SPEC = resolve(import.meta.dirname, '../../.peers/wire/h2spec');

/** RFC 9113, 5.3.2 has done away with the priorities of RFC 7540, which these ask for; frames that carry them are read and ignored. */
const PRIORITIES = ['Sends HEADERS frame that depend on itself', 'Sends PRIORITY frame that depend on itself'];
const LEAST_CASES = 140;

interface Report {
  readonly cases: number;
  readonly failed: readonly string[];
}

describe.each([false, true])('h2spec at the server of our own, over TLS: %s', (secure) => {
  let server: WireServerProcess;
  const dir = mkdtempSync(join(tmpdir(), 'sluice-h2spec-'));

  beforeAll(async () => {
    server = await WireServerProcess.start('own', secure);
  });

  afterAll(() => {
    server.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  it('finds nothing but the priorities that are no more', async () => {
    const { cases, failed } = await run(server.port, secure, join(dir, 'report.xml'));
    expect(failed.toSorted()).toEqual(PRIORITIES);
    expect(cases).toBeGreaterThan(LEAST_CASES);
    expect(await server.open()).toBe(0);
  });
});

function run(port: number, secure: boolean, file: string): Promise<Report> {
  const args = ['--strict', '-h', '127.0.0.1', '-p', String(port), '-o', '2', '-j', file, ...(secure ? ['-t', '-k'] : [])];
  return new Promise((done, fail) => {
    execFile(H2SPEC, args, { timeout: 100_000 }, (_error, stdout, stderr) => {
      const total = /(\d+) tests, (\d+) passed/.exec(stdout);
      if (total === null) {
        fail(new Error(`h2spec came to no end: ${stdout.slice(-500)}${stderr}`));
        return;
      }
      const xml = readFileSync(file, 'utf8');
      const failed = [...xml.matchAll(/<testcase [^>]*classname="([^"]*)"[^>]*>\s*<(?:failure|error)/g)].map(
        (match) => match[1]!,
      );
      done({ cases: Number(total[1]), failed });
    });
  });
}
