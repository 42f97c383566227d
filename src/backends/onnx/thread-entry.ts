import { parentPort } from 'node:worker_threads';
import { ModelThread } from './model-thread.ts';
import type { ToThread } from './thread-messages.ts';

/** Where a thread that runs models begins. Never imported: `thread-file.ts` names it. */
const port = parentPort;
if (port === null) throw new Error('thread-entry is the entry file of a worker thread and cannot be run by itself');

const thread = new ModelThread((message, transfer) => port.postMessage(message, transfer));
port.on('message', (message: ToThread) => thread.receive(message));
