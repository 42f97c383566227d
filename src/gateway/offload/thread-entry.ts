import { parentPort } from 'node:worker_threads';
import { runTask } from './run-task.ts';
import { TASKS } from './task-table.ts';
import type { ToThread } from './thread-messages.ts';

/** Where a thread of the pool begins. Never imported: `thread-file.ts` names it. */
const port = parentPort;
if (port === null) throw new Error('thread-entry is the entry file of a worker thread and cannot be run by itself');

port.on('message', (message: ToThread) => {
  const transfer = new Set<ArrayBuffer>();
  const answer = runTask(TASKS, message, transfer);
  port.postMessage(answer, [...transfer]);
});
