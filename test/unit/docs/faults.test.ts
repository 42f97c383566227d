import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');
const rows = readFileSync(join(ROOT, 'docs/faults.md'), 'utf8')
  .split('\n')
  .map((line) => /\| `(test\/[^`]+)`: (.+) \|$/.exec(line))
  .filter((match) => match !== null)
  .map((match): [string, string] => [match[1]!, match[2]!]);

describe('the table of what must hold', () => {
  it.each(rows)('names a test that is there: %s, %s', (file, name) => {
    const source = readFileSync(join(ROOT, file), 'utf8');
    expect(source.includes(`'${name}'`) || source.includes(`"${name}"`)).toBe(true);
  });

  it('has a row for each file of fault tests', () => {
    const named = new Set(rows.map(([file]) => file));
    const files = readdirSync(join(ROOT, 'test/faults')).map((file) => `test/faults/${file}`);
    expect(files.filter((file) => !named.has(file))).toEqual([]);
  });
});
