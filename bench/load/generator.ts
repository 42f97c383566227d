/** The process that makes the load: runs each order that comes over its channel and answers with its report. */

import type { LoadOrder } from './load-order.ts';
import { OpenLoop } from './open-loop.ts';

process.on('disconnect', () => process.exit(0));
process.on('message', (order: LoadOrder) => {
  void new OpenLoop(order).run().then((report) => process.send!(report));
});
