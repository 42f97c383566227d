import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Fault, GatewayError } from '../../../src/core/faults.ts';

const GRPC_NAMES: Readonly<Record<number, string>> = {
  1: 'CANCELLED',
  3: 'INVALID_ARGUMENT',
  4: 'DEADLINE_EXCEEDED',
  5: 'NOT_FOUND',
  7: 'PERMISSION_DENIED',
  8: 'RESOURCE_EXHAUSTED',
  9: 'FAILED_PRECONDITION',
  12: 'UNIMPLEMENTED',
  13: 'INTERNAL',
  14: 'UNAVAILABLE',
  16: 'UNAUTHENTICATED',
};

const documented = readFileSync(join(import.meta.dirname, '../../../docs/faults.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) =>
    line
      .split('|')
      .slice(1, 6)
      .map((cell) => cell.trim()),
  );

describe('the fault catalogue', () => {
  it('stands in the docs row for row, and the docs have no other rows', () => {
    const rows = Object.values(Fault).map((kind) => [
      `\`${kind.code}\``,
      String(kind.http),
      `${kind.grpc} ${GRPC_NAMES[kind.grpc]}`,
      kind.blame,
      kind.retry,
    ]);
    expect(documented).toEqual(rows);
  });

  it('has each code once and is frozen', () => {
    const codes = Object.values(Fault).map((kind) => kind.code);
    expect(new Set(codes).size).toBe(codes.length);
    expect(Object.values(Fault).every(Object.isFrozen)).toBe(true);
  });

  it('gives an error its message, its detail and its cause', () => {
    const cause = new Error('socket');
    const error = new GatewayError(Fault.BackendFailed, 'at 127.0.0.1:1', cause);
    expect(error.message).toBe('The backend failed. at 127.0.0.1:1');
    expect([error.kind, error.cause]).toEqual([Fault.BackendFailed, cause]);
  });
});
