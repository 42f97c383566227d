import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * What is wrong with the place of the audit record, which config calls `name`; empty when nothing is. A pipe or a device cannot be read
 * back, nor cut where a line was torn, and a pipe that nobody empties would stop the gateway.
 */
export function auditTargetProblem(name: string, path: string): string {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat !== undefined && !stat.isFile()) return `found ${name}, which is no plain file; ${EXPECTED}`;
    accessSync(stat === undefined ? dirname(path) : path, constants.R_OK | constants.W_OK);
    return '';
  } catch (error) {
    return `found ${name}, which cannot be opened (${(error as NodeJS.ErrnoException).code}); ${EXPECTED}`;
  }
}

const EXPECTED = 'expected a file that can be appended to and read back';
