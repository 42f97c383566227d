/**
 * Loaded into the gateway of the soak before its own code: each SIGUSR2 makes it collect its garbage and write down what is left, the
 * engine's connections and streams by their number.
 */

import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { queryObjects, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Figures } from './gateway-figures.ts';

type Class = abstract new (...args: never[]) => object;

const ENGINE = new URL('../../src/wire/http2/', import.meta.url);
/** Each lives as long as its call or its connection. */
const CLASSES: readonly (readonly [file: string, name: string])[] = [
  ['server/server-connection.ts', 'ServerConnection'],
  ['server/unary-stream.ts', 'UnaryStream'],
  ['server/bidi-stream.ts', 'BidiStream'],
  ['client/client-connection.ts', 'ClientConnection'],
  ['client/unary-h2-call.ts', 'UnaryH2Call'],
  ['client/streamed-h2-call.ts', 'StreamedH2Call'],
];

/** Of what is kept the median counts. */
const SAMPLES = 5;
const PAUSE_MS = 100;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const dir = process.env['SLUICE_SOAK_DIR']!;

process.on('SIGUSR2', () => void tell());

async function tell(): Promise<void> {
  const live: Record<string, number> = {};
  for (const [file, name] of CLASSES) {
    // Each look through the whole heap takes a while, and whoever is silent for long is replaced.
    await new Promise((done) => setTimeout(done, PAUSE_MS));
    // The gateway's own modules, which are loaded already.
    const module = (await import(new URL(file, ENGINE).href)) as Record<string, Class>;
    live[name] = queryObjects(module[name]! as unknown as new () => object, { format: 'count' });
  }
  const samples: NodeJS.MemoryUsage[] = [];
  for (let i = 0; i < SAMPLES; i++) {
    await new Promise((done) => setTimeout(done, PAUSE_MS));
    collect();
    samples.push(process.memoryUsage());
  }
  samples.sort((a, b) => a.heapUsed + a.external - b.heapUsed - b.external);
  const { heapUsed, external, rss } = samples[SAMPLES >> 1]!;
  const resources: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
  const figures: Figures = {
    keptBytes: heapUsed + external,
    heapBytes: heapUsed,
    externalBytes: external,
    rssBytes: rss,
    live,
    resources,
  };
  appendFileSync(join(dir, `${process.pid}.jsonl`), `${JSON.stringify(figures)}\n`);
}
