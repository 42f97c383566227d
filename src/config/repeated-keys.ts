import { type Document, isPair, isScalar, visit, type YAMLMap } from 'yaml';
import type { ConfigProblem } from './problem.ts';

/**
 * Keys that stand twice in one map of a YAML document. The package can check this itself, but compares each key with all before it: a file
 * of some megabytes would take minutes.
 */
export function repeatedKeys(document: Document): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  visit(document, {
    Map: (_place, map, ancestors) => {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        const name = isScalar(key) ? key.value : key;
        if (seen.has(name)) problems.push({ path: pathOf(ancestors, map, name), message: 'not YAML: the key stands twice' });
        seen.add(name);
      }
    },
  });
  return problems;
}

function pathOf(ancestors: readonly unknown[], map: YAMLMap, name: unknown): string {
  const keys = [...ancestors, map].filter((node) => isPair(node)).map(({ key }) => String(key));
  return [...keys, String(name)].join('.');
}
