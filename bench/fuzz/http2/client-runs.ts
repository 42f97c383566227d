import { ClientOnFrames } from '../../../test/support/client-on-frames.ts';
import { HeldTurns } from '../../../test/support/held-turns.ts';
import { say } from '../../../test/support/scripted-h2-server.ts';
import { piecesOf, same } from './pieces.ts';
import { byStream } from './runs.ts';

/** A connection of the client from any bytes of its server to its end. */

const turns = new HeldTurns();
const QUESTIONS = [0, 10, 100, 400, 3].map((bytes) => Buffer.alloc(bytes, 'q'));
/** One question is longer than the server has room for. */
const ROOM_BYTES = 300;
const INITIAL_WINDOW_SIZE = 4;
const MAX_MESSAGE_BYTES = 100_000;

/** Takes what the client says without a look at it, so that a measure of the client is not one of the test. */
class QuietClient extends ClientOnFrames {
  override write(): boolean {
    return true;
  }
}

export function feedClient(bytes: Buffer): void {
  run(() => new QuietClient(MAX_MESSAGE_BYTES), [bytes], false);
}

/**
 * Turns that end between the pieces may change what is said, since that is when frames leave; what is left behind is nothing either way.
 */
export function sameHowever(bytes: Buffer): void {
  const pieces = piecesOf(bytes);
  const [cut, whole] = [pieces, [bytes]].map((one) => run(() => new ClientOnFrames(MAX_MESSAGE_BYTES), one, false));
  same(cut, whole, 'what the client says and tells');
  if (pieces.length % 2 === 0) run(() => new ClientOnFrames(MAX_MESSAGE_BYTES), pieces, true);
}

/** What it said on each stream, and what its calls were told; throws where something is left behind. */
function run(make: () => ClientOnFrames, pieces: readonly Buffer[], turnsEnd: boolean): unknown {
  const { calls, alarms, forgotten, log, ended } = turns.run((turn) => {
    // Made here: what it puts off when it is made would else keep it until the loop turns, and with it all that went before.
    const client = make();
    // What is asked does not change, and would cost more to write down than all else.
    client.log.onDataBytes = () => 0;
    // Its calls begin with the server's first words, which are good ones: without them there would be none.
    client.feed(say.settings(INITIAL_WINDOW_SIZE, ROOM_BYTES));
    for (const [i, question] of QUESTIONS.entries()) client.ask(question, i % 2 === 1);
    turn();
    for (const piece of pieces) {
      client.feed(piece);
      if (turnsEnd) turn();
    }
    turn();
    client.connection.lost('cut');
    return client;
  });
  for (const told of calls) {
    const ends = told.filter((one) => one.startsWith('end')).length;
    if (ends !== 1 || !told.at(-1)!.startsWith('end')) throw new Error(`a call was told ${told.join(', ')}`);
  }
  if (forgotten !== calls.length) throw new Error(`${calls.length} calls, of which ${forgotten} are forgotten`);
  if (alarms.size > 0) throw new Error(`${alarms.size} alarms are set behind the end`);
  return [byStream(log.lines), ended, calls];
}
