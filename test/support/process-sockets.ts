import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** The ports of one TCP connection, as the process that holds it sees them. */
export interface SocketPorts {
  readonly local: number;
  readonly remote: number;
}

/** The IPv4 connections that a process holds now, as Linux tells them. */
export function socketsOf(pid: number): readonly SocketPorts[] {
  const held = new Set<string>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      if (inode !== undefined) held.add(inode);
    } catch {
      // Closed since the folder was read.
    }
  }
  const found: SocketPorts[] = [];
  for (const line of readFileSync(`/proc/${pid}/net/tcp`, 'utf8').split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/);
    if (held.has(fields[9] ?? '')) found.push({ local: portOf(fields[1]!), remote: portOf(fields[2]!) });
  }
  return found;
}

/** Written as hexadecimal address:port. */
const portOf = (text: string): number => Number.parseInt(text.slice(text.indexOf(':') + 1), 16);
