import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

/** What the runbook names must be there: an alarm on a metric that does not exist never rings. */

const ROOT = join(import.meta.dirname, '../../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const runbook = read('docs/operations.md');
const unique = (found: Iterable<RegExpMatchArray>): string[] => [...new Set([...found].map((match) => match[1]!))];

const catalogue = new Map(
  [...read('docs/metrics.md').matchAll(/^\| `(sluice_\w+)` \| (\w+) \|/gm)].map((row) => [row[1]!, row[2]!]),
);
const metrics = unique(runbook.matchAll(/\b(sluice_[a-z_]+)/g));
const commands = unique(runbook.matchAll(/(?:^\$ |`)sluice ([a-z]+)/gm));

describe('the runbook', () => {
  it('names metrics and commands', () => {
    expect(metrics.length).toBeGreaterThan(20);
    expect(commands.length).toBeGreaterThan(5);
  });

  it.each(metrics)('names a metric of the catalogue: %s', (name) => {
    const histogram = name.replace(/_(bucket|sum|count)$/, '');
    expect(catalogue.has(name) || catalogue.get(histogram) === 'histogram').toBe(true);
  });

  it.each(commands)('names a command that there is: %s', async (word) => {
    expect(existsSync(join(ROOT, `src/cli/commands/${word}.ts`))).toBe(true);
    const module = (await import(`../../../src/cli/commands/${word}.ts`)) as Record<string, { readonly name: string }>;
    expect(module[word]?.name).toBe(word);
  });

  it('names every command that a running gateway can be asked by', () => {
    expect(commands).toEqual(
      expect.arrayContaining([
        'serve',
        'check',
        'diff',
        'split',
        'switch',
        'rollback',
        'history',
        'pins',
        'fallbacks',
        'keys',
        'restart',
        'health',
      ]),
    );
  });

  it('names labels that its metrics have', () => {
    const labels = new Map(
      [...read('docs/metrics.md').matchAll(/^\| `(sluice_\w+)` \| \w+ \| (.*?) \|/gm)].map((row) => [row[1]!, row[2]!]),
    );
    for (const [, name, list] of runbook.matchAll(/\b(sluice_[a-z_]+)\{([^}]*)\}/g)) {
      for (const [, label] of list!.matchAll(/(\w+)=/g))
        expect(labels.get(name!), `${name} by ${label}`).toContain(`\`${label}\``);
    }
  });
});
