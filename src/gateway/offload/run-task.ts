import type { Task } from '../../core/offload.ts';
import type { FromThread, ToThread } from './thread-messages.ts';

const MAX_REASON_CHARS = 200;

/** Runs the task of one message; `transfer` gets the buffers that go back with the answer. */
export function runTask(
  tasks: ReadonlyMap<string, Task<unknown, unknown>>,
  message: ToThread,
  transfer: Set<ArrayBuffer>,
): FromThread {
  const { buffer, places } = message;
  const bytes: Uint8Array[] = [];
  for (let i = 0; i < places.length; i += 2) bytes.push(new Uint8Array(buffer, places[i]!, places[i + 1]!));
  try {
    const task = tasks.get(message.task);
    if (task === undefined) throw new Error(`no task is called ${message.task}`);
    const done = task.run(message.input, bytes);
    return { is: 'done', value: done.value, bytes: done.bytes.map((piece) => movable(piece, buffer, transfer)) };
  } catch (error) {
    return { is: 'threw', reason: String(error).slice(0, MAX_REASON_CHARS) };
  }
}

/** The same bytes in a buffer that may leave: Buffer's pool may not, and a small view would take all of its buffer along. */
function movable(piece: Uint8Array, input: ArrayBuffer, transfer: Set<ArrayBuffer>): Uint8Array {
  const isWhole = piece.buffer.byteLength === piece.byteLength || piece.buffer === input;
  const own = isWhole ? piece : new Uint8Array(piece);
  transfer.add(own.buffer as ArrayBuffer);
  return own;
}
