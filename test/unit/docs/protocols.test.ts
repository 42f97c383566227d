import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');
const rows = readFileSync(join(ROOT, 'docs/protocols.md'), 'utf8')
  .split('\n')
  .map((line) => /\| `(test\/[^`]+)`: (.+) \|$/.exec(line))
  .filter((match) => match !== null)
  .map((match): [string, string] => [match[1]!, match[2]!]);

describe('the table of protocols', () => {
  it('has rows', () => {
    expect(rows.length).toBeGreaterThan(35);
  });

  it.each(rows)('names a test that is there: %s, %s', (file, name) => {
    const source = readFileSync(join(ROOT, file), 'utf8');
    expect(source.includes(`'${name}'`) || source.includes(`"${name}"`)).toBe(true);
  });
});
