import { readFileSync } from 'node:fs';

/** The version in package.json, two folders up both in the sources and in the built tree. */
export function readVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  return manifest.version;
}
