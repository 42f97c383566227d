import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/config/problem.ts';
import { TlsFiles } from '../../../src/runtime/tls-files.ts';
import { AUTHORITY, SERVER_PAIR, STRANGER_PAIR } from '../../support/test-authority.ts';

const dir = mkdtempSync(join(tmpdir(), 'sluice-tls-files-'));
const files = new TlsFiles(dir, join(dir, 'sluice.yaml'));

beforeAll(() => {
  writeFileSync(join(dir, 's.crt'), SERVER_PAIR.cert);
  writeFileSync(join(dir, 's.key'), SERVER_PAIR.key);
  writeFileSync(join(dir, 'other.key'), STRANGER_PAIR.key);
  writeFileSync(join(dir, 'ca.pem'), AUTHORITY);
  writeFileSync(join(dir, 'none.pem'), 'not a certificate');
});

afterAll(() => rmSync(dir, { recursive: true }));

function problem(keyFile: string, clientCaFile: string | null): string {
  try {
    files.face({ certFile: 's.crt', keyFile, clientCaFile }, 'listen.grpc.tls');
    return '';
  } catch (error) {
    return (error as ConfigError).message;
  }
}

describe('TlsFiles', () => {
  it('reads a certificate, its key and the authorities of clients', () => {
    const { cert, key, clientCa } = files.face({ certFile: 's.crt', keyFile: 's.key', clientCaFile: 'ca.pem' }, 'a')!;
    expect([cert, key, clientCa]).toEqual([SERVER_PAIR.cert, SERVER_PAIR.key, AUTHORITY]);
    expect(files.face({ certFile: 's.crt', keyFile: 's.key', clientCaFile: null }, 'a')!.clientCa).toBeNull();
    expect(files.face(null, 'a')).toBeNull();
  });

  it.each([
    [
      's.key',
      'none.pem',
      /listen\.grpc\.tls\.clientCaFile.*none\.pem, which cannot be used .*expected certificates of authorities/,
    ],
    ['s.key', 'absent.pem', /listen\.grpc\.tls\.clientCaFile.*absent\.pem, which cannot be read \(ENOENT\)/],
    ['other.key', null, /listen\.grpc\.tls.*other\.key, which cannot be used/],
  ])('says what is wrong with %s and %s', (keyFile, clientCaFile, words) => {
    expect(problem(keyFile, clientCaFile)).toMatch(words);
    expect(() => files.face({ certFile: 's.crt', keyFile, clientCaFile }, 'a')).toThrow(ConfigError);
  });
});
