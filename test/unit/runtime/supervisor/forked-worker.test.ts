import { fork } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { ForkedWorker } from '../../../../src/runtime/supervisor/forked-worker.ts';

/** What is heard of a worker, to its end. */
function heardOf(worker: ForkedWorker): Promise<readonly unknown[]> {
  const all: unknown[] = [];
  return new Promise((resolve) => {
    worker.listen(
      (message) => all.push(message),
      (end) => resolve([...all, end]),
    );
  });
}

describe('a worker for which there is no process', () => {
  it.each([
    [
      'as it is thrown',
      'ENOMEM',
      () => {
        throw Object.assign(new Error('spawn ENOMEM'), { code: 'ENOMEM' });
      },
    ],
    ['as it is told later', 'ENOENT', () => fork('none', [], { execPath: '/no/such/node' })],
  ])('says why and has ended, %s', async (_how, code, start) => {
    const worker = new ForkedWorker(start);
    worker.send({ is: 'order', id: 1, name: 'report', takes: null }, null);
    worker.kill();
    expect(worker.pid).toBe(0);
    expect(await heardOf(worker)).toEqual([
      { is: 'failed', failure: { is: 'error', message: `The system starts no process for a worker (${code}).` } },
      { code: 1, signal: '' },
    ]);
  });
});
