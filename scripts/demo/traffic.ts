/** `npm run traffic`: held-out digits from many callers to the gateway that `npm start` has started, until it is interrupted. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadDigits } from '../models/digits-data.ts';
import { RestCaller } from './rest-caller.ts';
import { digitInput } from './sample-input.ts';

const USAGE = 'npm run traffic -- [--per-second N] [--callers N] [--seconds N] [--url URL]';
const TICK_MS = 20;
/** More are not sent: a gateway that does not answer must not fill this process. */
const MAX_IN_FLIGHT = 500;
/** Pictures are dimmed a little, each differently, so that none is answered from the cache. */
const LEAST_LIGHT = 0.8;

const { values } = parseArgs({
  options: {
    'per-second': { type: 'string', default: '200' },
    callers: { type: 'string', default: '50000' },
    seconds: { type: 'string', default: '86400' },
    url: { type: 'string', default: 'http://127.0.0.1:8080' },
  },
});
const [perSecond, callers, seconds] = [values['per-second'], values.callers, values.seconds].map(Number) as [
  number,
  number,
  number,
];
if (!(perSecond > 0 && callers >= 1 && seconds > 0)) throw new Error(`Usage: ${USAGE}`);

const key = readKey();
const { heldOut } = loadDigits();
const gateway = new RestCaller(values.url);
/** Answers by variant and status. */
const seen = new Map<string, number>();
let inFlight = 0;
let due = 0;
let sent = 0;
const startedMs = performance.now();

process.once('SIGINT', finish);
process.once('SIGTERM', finish);
const timer = setInterval(tick, TICK_MS);

function tick(): void {
  const elapsedMs = performance.now() - startedMs;
  due = (elapsedMs / 1_000) * perSecond;
  if (elapsedMs > seconds * 1_000) {
    finish();
    return;
  }
  for (; sent < due; sent++) if (inFlight < MAX_IN_FLIGHT) void send(sent);
}

async function send(number: number): Promise<void> {
  inFlight++;
  const { pixels, label } = heldOut[number % heldOut.length]!;
  const light = LEAST_LIGHT + Math.random() * (1 - LEAST_LIGHT);
  const input = digitInput(pixels.map((pixel) => pixel * light));
  const caller = `caller-${Math.floor(Math.random() * callers)}`;
  const errand = { kind: 'sample', face: 'rest', tenant: 'demo', key, model: 'digits', caller, input, label } as const;
  try {
    const { status, variant, fault } = await gateway.send(errand);
    count(status === '200' ? variant : `${status} ${fault}`);
  } catch (error) {
    count((error as NodeJS.ErrnoException).code ?? (error as Error).name);
  }
  inFlight--;
}

function count(what: string): void {
  seen.set(what, (seen.get(what) ?? 0) + 1);
}

function finish(): void {
  clearInterval(timer);
  const parts = [...seen].sort(([a], [b]) => (a < b ? -1 : 1)).map(([what, times]) => `${what} ${times}`);
  console.log(`answered by ${parts.join(', ')}`);
  gateway.close();
  process.exit(0);
}

/** The demo's key stands in the folder that the gateway writes its generated secrets to. */
function readKey(): string {
  const own = process.env['SLUICE_KEY'];
  if (own !== undefined) return own;
  const file = join(process.env['SLUICE_STATE_DIR'] ?? '.sluice', 'secrets.json');
  try {
    const { secrets } = JSON.parse(readFileSync(file, 'utf8')) as { secrets: Readonly<Record<string, string>> };
    const found = Object.entries(secrets).find(([name]) => name.includes('demo0001'));
    if (found !== undefined) return found[1];
  } catch {
    // Told below.
  }
  throw new Error(`No demo key was found in ${file}: run npm start first, or set SLUICE_KEY.`);
}
