import { encodeFields } from '../../../src/wire/http2/hpack/encoder.ts';
import { frame } from '../../support/frame-log.ts';
import { say } from '../../support/scripted-h2-server.ts';
import { ask } from '../../support/server-on-frames.ts';

/** What a client may pour over a server that costs it little and the server much (RFC 9113, 10.5). */
export interface Flood {
  readonly name: string;
  /** Of its SETTINGS: identifier, value. */
  readonly settings: readonly number[];
  /** The i-th piece; empty where it has said all. */
  readonly next: (i: number) => Buffer;
}

/** Whom the calls of a flood are for. */
export interface FloodTarget {
  readonly path: string;
  /** Name, value, name, value. */
  readonly headers: readonly string[];
}

const idOf = (i: number): number => i * 2 + 1;
const PING = frame(6, 0, 0, Buffer.alloc(8));
const CANCEL = 8;

/** The connection is ended over each of these. */
export function floods({ path, headers }: FloodTarget): readonly Flood[] {
  const head = (i: number): Buffer => ask.head(idOf(i), path, headers);
  const flood = (name: string, next: Flood['next']): Flood => ({ name, settings: [], next });
  return [
    flood('rapid resets', (i) => Buffer.concat([head(i), say.reset(idOf(i), CANCEL)])),
    flood('resets that it provokes', (i) => Buffer.concat([head(i), say.window(idOf(i), 0)])),
    flood('CONTINUATION without an end', (i) =>
      i === 0 ? frame(1, 0, 1, encodeFields(ask.fields(path, headers))) : frame(9, 0, 1, Buffer.alloc(10)),
    ),
    flood('pings', () => PING),
    flood('settings', () => say.settings(4, 100)),
    flood('frames without effect', () => frame(2, 0, 1, Buffer.alloc(5))),
  ];
}

/** So many calls whose answers it gives no room. They wait for it, and are cut after a while. */
export const noRoom = ({ path, headers }: FloodTarget, calls: number, message: string | Uint8Array): Flood => ({
  name: 'windows of zero',
  settings: [4, 0],
  next: (i) =>
    i < calls
      ? Buffer.concat([ask.head(idOf(i), path, headers), ask.data(idOf(i), ask.message(message), true)])
      : Buffer.alloc(0),
});
