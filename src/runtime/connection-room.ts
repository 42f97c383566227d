import { DescriptorRoom, ownDescriptors } from '../limits/descriptor-room.ts';
import type { Log } from '../telemetry/access-log.ts';

/** Whether the process has descriptors left for one more connection; one log line when that ends, and one when it is over. */
export function connectionRoom(maxOpenFilesPercent: number, log: Log): () => boolean {
  const source = ownDescriptors();
  if (source === null) return () => true;
  const room = new DescriptorRoom(source, maxOpenFilesPercent, (isFull, open, limit) => {
    if (isFull) log.warn('nearly out of file descriptors, closing new connections', { open, limit });
    else log.info('taking new connections again', { open, limit });
  });
  return () => room.take();
}
