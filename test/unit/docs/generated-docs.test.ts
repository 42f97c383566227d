import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GENERATED_DOCS } from '../../../scripts/docs.ts';

describe('the generated references', () => {
  it.each([...GENERATED_DOCS.keys()])('in %s are what the code says now', (file) => {
    const written = readFileSync(join(import.meta.dirname, '../../..', file), 'utf8');
    expect(written, 'run: npm run docs').toBe(GENERATED_DOCS.get(file)!());
  });
});
