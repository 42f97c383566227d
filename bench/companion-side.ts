/** The other end of Companion: runs in the companion. */

import type { CompanionMessage, CompanionOrder } from './companion.ts';

/** Calls `listen` with the answers to give; it resolves with the port. `count` is asked between runs. */
export function serveAsCompanion(
  listen: (answers: Readonly<Record<string, string>>) => Promise<number>,
  count: () => number,
): void {
  process.on('disconnect', () => process.exit(0));
  process.on('message', (order: CompanionOrder) => {
    if (order.is === 'count') tell({ is: 'count', count: count() });
    else void listen(order.answers).then((port) => tell({ is: 'listening', port }));
  });
}

function tell(message: CompanionMessage): void {
  process.send!(message);
}
