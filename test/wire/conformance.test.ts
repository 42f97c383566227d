import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/**
 * The conformance suite of connectrpc, gRPC over HTTP/2 alone: its reference server asked by our client, its reference client asking our
 * server, plain and over TLS. The gateway needs less metadata than the suite checks, so that whole kinds of checks fail; those are told
 * apart here line by line, and everything else that is checked of the same cases must be right.
 */

const CONFORMANCE = resolve(import.meta.dirname, '../../.peers/wire/connectconformance');
/** Seconds, on a machine that does nothing else. */
const LIMIT_MS = 200_000;
const COMMON = `
  versions: [HTTP_VERSION_2]
  protocols: [PROTOCOL_GRPC]
  codecs: [CODEC_PROTO]
  supportsH2c: true
  supportsTls: true
  supportsTlsClientCerts: true
  supportsTrailers: true
  supportsMessageReceiveLimit: true
`;

interface Side {
  readonly name: 'client' | 'server';
  readonly features: string;
  readonly leastCases: number;
  /** Checks that fail since our interface has nothing that could pass them; each still fails somewhere. */
  readonly gaps: readonly (readonly [line: RegExp, reason: string])[];
  /** Cases that fail, by the end of their names. */
  readonly failing: Readonly<Record<string, string>>;
}

const DETAILS = [
  /^actual error contain \d+ details; expecting \d+$/,
  'metadata in binary, where details of errors travel, is not carried',
] as const;

const SIDES: readonly Side[] = [
  {
    name: 'client',
    // It sends one message a call, which is all that the gateway asks of a backend.
    features: `${COMMON}
  compressions: [COMPRESSION_IDENTITY]
  streamTypes: [STREAM_TYPE_UNARY, STREAM_TYPE_SERVER_STREAM]`,
    leastCases: 220,
    gaps: [
      DETAILS,
      [/^actual response (headers|trailers) missing "x-custom-(header|trailer)"$/, 'metadata of an answer is not handed on'],
      [/^server echoed back a timeout \(\d+ ms\) but none was expected$/, 'a call always has a deadline'],
    ],
    failing: {},
  },
  {
    name: 'server',
    features: `${COMMON}
  compressions: [COMPRESSION_IDENTITY, COMPRESSION_GZIP]`,
    leastCases: 500,
    gaps: [
      DETAILS,
      [/^actual response headers missing "x-custom-header"$/, 'a stream is opened without metadata'],
      [/^actual response trailers missing "x-custom-trailer"$/, 'a unary answer has its metadata ahead of it alone'],
    ],
    failing: {
      '/unexpected-codec': 'what application/grpc+foo stands for is left to who reads the messages',
      '/unexpected-compression':
        'an unknown encoding is refused where a message says that it is compressed, and this one does not',
    },
  },
];

interface Outcome {
  readonly cases: number;
  readonly passed: number;
  /** What was found wrong, by the name of the case. */
  readonly failed: ReadonlyMap<string, readonly string[]>;
}

describe.each(SIDES)('the conformance suite of connectrpc at our $name', ({ name, features, leastCases, gaps, failing }) => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-conformance-'));
  let outcome: Outcome;
  beforeAll(async () => {
    const config = join(dir, 'config.yaml');
    writeFileSync(config, `features:${features}\n`);
    outcome = await run(name, config);
  }, LIMIT_MS);
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('runs all of its cases', () => {
    expect(outcome.cases).toBeGreaterThanOrEqual(leastCases);
    expect(outcome.passed + outcome.failed.size).toBe(outcome.cases);
    process.stdout.write(
      `${name}: ${outcome.cases} cases, ${outcome.passed} pass whole, ${outcome.failed.size} but for what is listed\n`,
    );
  });

  it('finds nothing wrong but what is known to be missing', () => {
    const wrong = [...outcome.failed].filter(([of]) => !Object.keys(failing).some((end) => of.endsWith(end)));
    const unknown = wrong.flatMap(([of, lines]) =>
      lines.filter((line) => !gaps.some(([gap]) => gap.test(line))).map((line) => `${of}: ${line}`),
    );
    expect(unknown).toEqual([]);
  });

  it('still misses all that is listed as missing', () => {
    const lines = [...outcome.failed.values()].flat();
    expect(gaps.filter(([gap]) => !lines.some((line) => gap.test(line)))).toEqual([]);
    expect(Object.keys(failing).filter((end) => ![...outcome.failed.keys()].some((of) => of.endsWith(end)))).toEqual([]);
  });
});

function run(mode: string, config: string): Promise<Outcome> {
  const program = join(import.meta.dirname, `support/conformance-${mode}.ts`);
  // Each kind of connection has a server process of its own: sources are compiled once for all.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'sluice-e2e-compile-cache') };
  const args = ['--conf', config, '--mode', mode, '--', process.execPath, program];
  return new Promise((done, fail) => {
    execFile(CONFORMANCE, args, { timeout: LIMIT_MS, maxBuffer: 16_777_216, env }, (_error, stdout, stderr) => {
      const text = `${stdout}${stderr}`;
      const total = /Total cases: (\d+)\n(\d+) passed, \d+ failed/.exec(text);
      if (total === null || text.includes('could not be run'))
        fail(new Error(`The suite came to no end:\n${text.slice(-2_000)}`));
      else done({ cases: Number(total[1]), passed: Number(total[2]), failed: failuresIn(text) });
    });
  });
}

/** Each has its name in a line of its own, and what was wrong in lines behind it that begin with a tab. */
function failuresIn(text: string): Map<string, string[]> {
  const failed = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of text.split('\n')) {
    const name = /^FAILED: (.*):$/.exec(line)?.[1];
    if (name !== undefined) {
      lines = [];
      failed.set(name, lines);
    } else if (line.startsWith('\t')) lines.push(line.slice(1));
  }
  return failed;
}
