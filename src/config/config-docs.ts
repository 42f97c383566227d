import { z } from 'zod';
import { config } from './schema.ts';

/** The part of JSON Schema that the config's schema uses. */
interface Node {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly items?: Node;
  readonly additionalProperties?: Node | boolean;
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
}

/** One line of the table: a key, what it takes, its default and what it means. */
interface Row {
  readonly path: string;
  readonly takes: string;
  readonly fallback: string;
  readonly meaning: string;
}

/** The reference of all config keys as Markdown, made from the schema so that it cannot differ from it. */
export function configDocs(): string {
  const root = z.toJSONSchema(config, { io: 'input', unrepresentable: 'any' }) as Node;
  const rows: Row[] = [];
  walk(root, '', rows);
  // A key that several shapes of a union share is listed once.
  const unique = new Map(rows.map((row) => [row.path, row]));
  const lines = [...unique.values()].map((row) => `| \`${row.path}\` | ${row.takes} | ${row.fallback} | ${row.meaning} |`);
  return ['| key | takes | default | meaning |', '|---|---|---|---|', ...lines, ''].join('\n');
}

function walk(node: Node, path: string, rows: Row[]): void {
  for (const [key, child] of Object.entries(node.properties ?? {})) {
    const childPath = path === '' ? key : `${path}.${key}`;
    const isRequired = node.required?.includes(key) === true && child.default === undefined;
    describe(child, childPath, isRequired, rows);
  }
}

function describe(node: Node, path: string, isRequired: boolean, rows: Row[]): void {
  const branches = (node.anyOf ?? node.oneOf ?? []).filter((branch) => branch.type !== 'null');
  const objects = branches.filter((branch) => branch.properties !== undefined);
  const isLeaf = node.properties === undefined && node.items?.properties === undefined;
  if (node.description !== undefined || isLeaf) {
    rows.push({ path, takes: takesOf(node), fallback: fallbackOf(node, isRequired), meaning: node.description ?? '' });
  }
  walk(node, path, rows);
  if (node.items !== undefined) describeItems(node.items, `${path}[]`, rows);
  if (typeof node.additionalProperties === 'object') walk(node.additionalProperties, `${path}.<name>`, rows);
  for (const branch of objects) walk(branch, objects.length > 1 ? `${path}${labelOf(branch)}` : path, rows);
}

function describeItems(items: Node, path: string, rows: Row[]): void {
  const branches = (items.anyOf ?? items.oneOf ?? []).filter((branch) => branch.properties !== undefined);
  for (const branch of branches) walk(branch, `${path}${labelOf(branch)}`, rows);
  walk(items, path, rows);
}

/** Which of several shapes: its kind, or the keys that only it has. */
function labelOf(branch: Node): string {
  const kind = branch.properties?.['kind']?.const;
  return typeof kind === 'string' ? `(${kind})` : '';
}

function takesOf(node: Node): string {
  if (node.const !== undefined) return `\`${JSON.stringify(node.const)}\``;
  if (node.enum !== undefined) return node.enum.map((value) => `\`${String(value)}\``).join(', ');
  const branches = node.anyOf ?? node.oneOf;
  if (branches !== undefined) return [...new Set(branches.map(takesOf))].join(' or ');
  if (node.type === 'array') return `list of ${node.items === undefined ? 'values' : takesOf(node.items)}`;
  if (node.type === 'object') return 'map';
  const limits = [node.minimum === undefined ? '' : `≥ ${node.minimum}`, node.maximum === undefined ? '' : `≤ ${node.maximum}`];
  const type = typeof node.type === 'string' ? node.type : (node.type?.join(' or ') ?? 'value');
  return [type, ...limits.filter((limit) => limit !== '')].join(' ');
}

function fallbackOf(node: Node, isRequired: boolean): string {
  if (node.default !== undefined && (typeof node.default !== 'object' || node.default === null || Array.isArray(node.default))) {
    return `\`${JSON.stringify(node.default)}\``;
  }
  return isRequired ? 'required' : '';
}
