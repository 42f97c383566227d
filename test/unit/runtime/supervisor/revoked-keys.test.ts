import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RevokedKeys } from '../../../../src/runtime/supervisor/revoked-keys.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sluice-state-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

describe('RevokedKeys', () => {
  it('keeps what was revoked for the next gateway, for its owner alone', () => {
    const state = join(dir, 'state');
    expect(new RevokedKeys(state).read()).toEqual(new Set());
    expect(new RevokedKeys(state).save(new Set(['b', 'a']))).toBe('');
    const file = join(state, 'revoked-keys.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ keys: ['a', 'b'] });
    expect(new RevokedKeys(state).read()).toEqual(new Set(['a', 'b']));
  });

  it.each(['', '{}', '{"keys": [1]}', '{"keys": "a"}'])('refuses to begin without knowing who was revoked: %s', (text) => {
    writeFileSync(join(dir, 'revoked-keys.json'), text);
    expect(() => new RevokedKeys(dir).read()).toThrow(/revoked-keys\.json does not hold .*Repair or remove it/);
  });

  it('says why it cannot keep them', () => {
    writeFileSync(join(dir, 'file'), '');
    expect(new RevokedKeys(join(dir, 'file')).save(new Set(['a']))).toMatch(/revoked-keys\.json: (ENOTDIR|EEXIST)/);
  });
});
