import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ConfigError } from '../../config/problem.ts';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../telemetry/access-log.ts';
import { auditTargetProblem } from '../audit-target.ts';
import type { AuditRecord } from './audit/audit-chain.ts';
import { AuditFile } from './audit/audit-file.ts';
import type { CallerScope } from './caller-scope.ts';

export type { AuditRecord } from './audit/audit-chain.ts';

/** Where changes are recorded. Throws when the record cannot be written, and then the change must not happen. */
export interface AuditLog {
  write(record: AuditRecord): void;
  close(): void;
}

const DEFAULT_FILE = 'audit.jsonl';

export interface AuditPlace {
  readonly baseDir: string;
  readonly configFile: string;
  readonly stateDir: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly callers: CallerScope;
}

/**
 * The audit record of a config. A file that the config names has to be there for writing, or the gateway does not start. Where it names
 * none the record is in the state folder and each line in the log as well; without that folder the gateway serves, and takes no change.
 */
export function openAudit(file: string | null, { baseDir, configFile, stateDir, clock, log, callers }: AuditPlace): AuditFile {
  const path = file === null ? join(stateDir, DEFAULT_FILE) : resolve(baseDir, file);
  if (file === null) makeFolder(stateDir);
  else refuseUnwritable(file, path, configFile);
  const audit = new AuditFile(path, {
    wallMs: () => clock.wallMs(),
    caller: () => callers.current,
    onRecord: ({ time: _, ...entry }) => {
      if (file === null) log.info('audit', entry);
    },
  });
  const { problem } = audit.head;
  if (problem !== '') log.error('audit record cannot be written: every change is refused', { reason: problem });
  return audit;
}

function makeFolder(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  } catch {
    // Opening the file in it says why.
  }
}

function refuseUnwritable(file: string, path: string, configFile: string): void {
  const message = auditTargetProblem(file, path);
  if (message !== '') throw new ConfigError(configFile, [{ path: 'audit.file', message }]);
}

/** Puts a change on record. Returns why it could not, or an empty text: what is not on record must not happen. */
export function recorded(audit: AuditLog, record: AuditRecord): string {
  try {
    audit.write(record);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}
