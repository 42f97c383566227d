import { PREFACE } from '../../../src/wire/http2/frames/frame-format.ts';
import { HeldTurns } from '../../../test/support/held-turns.ts';
import { say } from '../../../test/support/scripted-h2-server.ts';
import { ServerOnFrames } from '../../../test/support/server-on-frames.ts';
import { piecesOf, same } from './pieces.ts';
import { byStream } from './runs.ts';

/** A connection of the server from any bytes to its end. */

const GREETING = Buffer.concat([PREFACE, say.settings()]);
const turns = new HeldTurns();
/** Long enough for all that a connection does by itself when nobody speaks: it asks clients to stop, cuts stalled answers. */
const AFTER_MS = [200, 200, 1_200];

/** Takes what the server says without a look at it, so that a measure of the server is not one of the test. */
class QuietServer extends ServerOnFrames {
  override write(): boolean {
    return true;
  }
}

/** Bytes that do not begin as HTTP/2 does are refused at once, which is soon told: every other one is greeted first. */
const greeted = (bytes: Buffer): Buffer =>
  bytes.length % 2 === 1 && !bytes.subarray(0, PREFACE.length).equals(PREFACE) ? Buffer.concat([GREETING, bytes]) : bytes;

export function feedServer(bytes: Buffer): void {
  run(() => new QuietServer(), [greeted(bytes)], false);
}

/**
 * Turns that end between the pieces may change what is said, since that is when frames leave; what is left behind is nothing either way.
 */
export function sameHowever(bytes: Buffer): void {
  const whole = greeted(bytes);
  const pieces = piecesOf(whole);
  same(
    run(() => new ServerOnFrames(), pieces, false),
    run(() => new ServerOnFrames(), [whole], false),
    'what the server says and hears',
  );
  if (pieces.length % 2 === 0) run(() => new ServerOnFrames(), pieces, true);
}

/** What it said on each stream, and what its calls told; throws where something is left behind. */
function run(make: () => ServerOnFrames, pieces: readonly Buffer[], turnsEnd: boolean): unknown {
  const { calls, alarms, log, ended } = turns.run((turn) => {
    // Made here: what it puts off when it is made would else keep it until the loop turns, and with it all that went before.
    const server = make();
    for (const piece of pieces) {
      server.feed(Buffer.from(piece));
      if (turnsEnd) turn();
    }
    turn();
    for (const ms of AFTER_MS) {
      server.wait(ms);
      turn();
    }
    server.connection.lost();
    return server;
  });
  for (const { path, events } of calls) {
    const closed = events.filter((event) => event === 'closed').length;
    if (closed !== 1 || events.at(-1) !== 'closed') throw new Error(`a call of ${path} was told ${events.join(', ')}`);
  }
  if (alarms.size > 0) throw new Error(`${alarms.size} alarms are set behind the end`);
  return [byStream(log.lines), ended, calls.map(({ path, events }) => [path, events.filter((event) => event !== 'written')])];
}
