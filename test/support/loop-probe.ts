import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/**
 * Loaded into a gateway with `--import`: how much processor time its main thread takes between two looks at the clock. That is how long it
 * keeps the event loop from others, and unlike the time on the wall it does not grow when other processes take the cores away. SIGUSR2
 * begins anew; when the process ends the file that LOOP_PROBE_FILE names gets the times.
 */
const LOOK_MS = 1;

const file = process.env['LOOP_PROBE_FILE'];
if (isMainThread && file !== undefined) {
  let busyMs: number[] = [];
  let before = process.threadCpuUsage();
  setInterval(() => {
    const { user, system } = process.threadCpuUsage(before);
    before = process.threadCpuUsage();
    busyMs.push((user + system) / 1_000);
  }, LOOK_MS).unref();
  process.on('SIGUSR2', () => {
    busyMs = [];
  });
  process.on('exit', () => writeFileSync(file, JSON.stringify(busyMs)));
}
