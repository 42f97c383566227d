import { parseConfig } from '../../../../src/config/load-config.ts';
import type { Config } from '../../../../src/config/schema.ts';
import { TruthBook } from '../../../../src/runtime/supervisor/truth-book.ts';

/** A config with models whose variants are named, the first one stable, each with its percent behind a colon, as `v2:5`. */
export function configOf(models: Readonly<Record<string, readonly string[]>>, more = ''): Config {
  const lines = Object.entries(models).flatMap(([model, variants]) => [
    `  ${model}:`,
    '    variants:',
    ...variants.map((text, i) => {
      const [name, weight = '0'] = text.split(':');
      const share = i === 0 ? '' : `, weight: ${weight}`;
      return `      - { name: ${name}, role: ${i === 0 ? 'stable' : 'canary'}${share}, backend: { kind: grpc, endpoints: ['127.0.0.1:1'] } }`;
    }),
  ]);
  const head = [
    'listen: { admin: { token: { generate: true } } }',
    'tenants: [{ id: a, keys: [{ id: aaaa0001, secret: { generate: true } }] }]',
  ];
  return parseConfig([...head, 'models:', ...lines, more].join('\n'), 'c.yaml');
}

export const bookOf = (models: Readonly<Record<string, readonly string[]>>): TruthBook =>
  new TruthBook(configOf(models), new Set());
