/** CPU time that the kernel has counted, in microseconds: for a process, for its main thread, and for a core. Linux only. */

import { readdirSync, readFileSync } from 'node:fs';

export interface CpuTime {
  /** All threads, user and system. */
  readonly processUs: number;
  readonly mainThreadUs: number;
  /** All that the core has done, for whomever, the hypervisor included; 0 when none was named. */
  readonly coreUs: number;
}

/** /proc counts in hundredths of a second on every Linux, whatever the kernel's own tick. */
const US_PER_TICK = 10_000;
/** Fields of /proc/[pid]/stat after the name in brackets, which may hold anything. */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

export const canReadCpuTime = process.platform === 'linux';

export function readCpuTime(pid: number, core: number): CpuTime {
  return {
    processUs: ticksOf(`/proc/${pid}/stat`) * US_PER_TICK,
    mainThreadUs: ticksOf(`/proc/${pid}/task/${pid}/stat`) * US_PER_TICK,
    coreUs: core < 0 ? 0 : busyTicksOf(core) * US_PER_TICK,
  };
}

/** All threads that a process has now, in nanoseconds of the scheduler, to microseconds: for runs too short for hundredths of a second. */
export function readThreadsUs(pid: number): number {
  let ns = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`))
    ns += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  return ns / 1_000;
}

function ticksOf(file: string): number {
  const stat = readFileSync(file, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS]);
}

function busyTicksOf(core: number): number {
  const line = new RegExp(`^cpu${core} (.*)$`, 'm').exec(readFileSync('/proc/stat', 'utf8'))?.[1];
  if (line === undefined) throw new Error(`/proc/stat has no line for core ${core}.`);
  // user nice system idle iowait irq softirq steal; the guests that follow are in user already.
  const [user, nice, system, , , irq, softirq, steal] = line.split(' ').map(Number);
  return user! + nice! + system! + irq! + softirq! + steal!;
}
