import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importsOf } from './imports.ts';
import {
  coreViolations,
  cycleViolations,
  danglingViolations,
  dependencyViolations,
  floorViolations,
  ownerViolations,
  pathViolations,
  type Sources,
  shapeViolations,
} from './rules.ts';

const ROOT = resolve(import.meta.dirname, '../../..');

/** All files below `folder` whose name ends as asked, by their path from the root. */
function read(folder: string, ending: string): Map<string, string> {
  const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).sort();
  const files = names.filter((name) => name.endsWith(ending)).map((name) => `${folder}/${name.replaceAll('\\', '/')}`);
  return new Map(files.map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]));
}

const of = (files: Readonly<Record<string, string>>): Sources => new Map(Object.entries(files));

describe('the sources', () => {
  const sources = read('src', '.ts');
  const bin = read('bin', '.mjs');
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<string, Record<string, string>>;
  const dependencies = Object.keys({ ...manifest['dependencies'], ...manifest['optionalDependencies'] });

  it('were found', () => {
    expect(sources.size).toBeGreaterThan(50);
    expect(bin.size).toBe(1);
  });
  it('import from their own folder or from a lower floor', () => expect(floorViolations(sources)).toEqual([]));
  it('import only files that exist', () => expect(danglingViolations(sources)).toEqual([]));
  it('let core import nothing from outside', () => expect(coreViolations(sources)).toEqual([]));
  it('let each package have one owner', () => expect(ownerViolations(sources)).toEqual([]));
  it('import each other without a circle', () => expect(cycleViolations(sources)).toEqual([]));
  it('have no default exports, no barrels and no long files', () => expect(shapeViolations(sources)).toEqual([]));
  it('name no path of any machine', () => expect(pathViolations(new Map([...sources, ...bin]), ROOT)).toEqual([]));
  it('use every dependency, and a decision says why each is there', () => {
    expect(dependencyViolations(dependencies, sources, read('docs/decisions', '.md'))).toEqual([]);
  });
});

describe('importsOf', () => {
  it('finds every form of an import and whether it is one of types', () => {
    const text = [
      "import { a } from './a.ts';",
      "import type { B } from './b.ts';",
      "import './c.ts';",
      "import * as d from 'd';",
      'import {\n  e,\n  type F,\n} from "e";',
      "export { g } from './g.ts';",
      "export type { H } from './h.ts';",
      "const i = await import('i');",
      "type J = typeof import('j');",
      "const k = require('k');",
    ].join('\n');
    const found = importsOf(text);
    expect(found.filter((one) => !one.typeOnly).map((one) => one.specifier)).toEqual([
      './a.ts',
      './c.ts',
      'd',
      'e',
      './g.ts',
      'i',
      'k',
    ]);
    expect(found.filter((one) => one.typeOnly).map((one) => one.specifier)).toEqual(['./b.ts', './h.ts', 'j']);
  });

  it('is not taken in by comments, strings and other exports', () => {
    const text = [
      " * import { a } from './a.ts';",
      "// import { b } from './b.ts';",
      'const text = \'import c from "c"\';',
      "export const d = 'd';",
      "export function from(e = 'e') {}",
    ].join('\n');
    expect(importsOf(text)).toEqual([]);
  });
});

describe('the checker', () => {
  it('lets a file import from its own folder and from lower floors', () => {
    const files = of({
      'src/gateway/a.ts':
        "import { b } from './phases/b.ts';\nimport { c } from '../core/c.ts';\nimport { d } from '../cache/d.ts';",
    });
    expect(floorViolations(files)).toEqual([]);
  });

  it.each([
    ['a higher floor', 'src/cache/a.ts', "import { b } from '../gateway/b.ts';"],
    ['another folder of the same floor', 'src/cache/a.ts', "import { b } from '../router/b.ts';"],
    ['a type of another folder of the same floor', 'src/cache/a.ts', "import type { B } from '../router/b.ts';"],
    ['the runtime from the admin side', 'src/admin/a.ts', "import { b } from '../runtime/b.ts';"],
    ['the admin side from the runtime', 'src/runtime/a.ts', "import { b } from '../admin/b.ts';"],
    ['the data plane from the admin side', 'src/admin/a.ts', "import { b } from '../gateway/b.ts';"],
    ['something at run time from a higher floor', 'src/core/a.ts', "const b = await import('../wire/b.ts');"],
    ['a file outside src', 'src/cli/a.ts', "import { b } from '../../test/b.ts';"],
    ['a folder on no floor', 'src/cli/a.ts', "import { b } from '../utils/b.ts';"],
    ['anything into a folder on no floor', 'src/utils/a.ts', "import { b } from '../core/b.ts';"],
    ['anything into src itself', 'src/main.ts', "import { b } from './cli/b.ts';"],
  ])('catches an import of %s', (_what, file, text) => {
    expect(floorViolations(of({ [file]: text })).length).toBe(1);
  });

  it('catches an import of a file that is not there', () => {
    expect(danglingViolations(of({ 'src/cli/a.ts': "import { b } from './b.ts';" })).length).toBe(1);
    expect(danglingViolations(of({ 'src/cli/a.ts': "import { b } from './b.ts';", 'src/cli/b.ts': '' }))).toEqual([]);
  });

  it.each(["import { b } from 'node:fs';", "import { b } from 'zod';", "import type { b } from 'zod';"])(
    'catches %s in core',
    (text) => {
      expect(coreViolations(of({ 'src/core/a.ts': text })).length).toBe(1);
      expect(coreViolations(of({ 'src/cli/a.ts': text }))).toEqual([]);
    },
  );

  it.each([
    ['src/router/a.ts', "import { z } from 'zod';"],
    ['src/configuration/a.ts', "import { z } from 'zod/v4';"],
    ['src/backends/grpc/a.ts', "import type * as ort from 'onnxruntime-node';"],
    ['src/gateway/a.ts', "import { trace } from '@opentelemetry/api';"],
    ['src/wire/a.ts', "import { nobody } from 'nobodys-package';"],
  ])('catches a package outside its owner: %s', (file, text) => {
    expect(ownerViolations(of({ [file]: text })).length).toBe(1);
  });

  it('lets owners use their packages and everybody use Node', () => {
    const files = of({
      'src/config/a.ts': "import { z } from 'zod/v4';\nimport { readFileSync } from 'node:fs';",
      'src/telemetry/traces/a.ts': "import { trace } from '@opentelemetry/api';",
    });
    expect(ownerViolations(files)).toEqual([]);
  });

  it('catches a dependency that nothing uses and one that nothing explains', () => {
    const sources = of({ 'src/config/a.ts': "import { parse } from 'yaml';\nimport { z } from 'zod';" });
    const decisions = of({ 'docs/decisions/1.md': 'We chose `zod`, left-pad and js-yaml.' });
    expect(dependencyViolations(['zod', 'left-pad', 'yaml'], sources, decisions)).toEqual([
      'package.json lists left-pad, and nothing in src uses it.',
      'package.json lists yaml, and nothing in docs/decisions says why.',
    ]);
  });

  it('catches a circle, and lets a circle of types be', () => {
    const a = "import { b } from './b.ts';";
    expect(cycleViolations(of({ 'src/core/a.ts': a, 'src/core/b.ts': "import { a } from './a.ts';" })).length).toBe(1);
    expect(cycleViolations(of({ 'src/core/a.ts': a, 'src/core/b.ts': "import type { A } from './a.ts';" }))).toEqual([]);
    const three = { 'src/core/a.ts': a, 'src/core/b.ts': "import './c.ts';", 'src/core/c.ts': "export { a } from './a.ts';" };
    expect(cycleViolations(of(three))).toEqual([
      'These files import each other in a circle: src/core/a.ts → src/core/b.ts → src/core/c.ts → src/core/a.ts.',
    ]);
  });

  it.each([
    ['a default export', 'src/cli/a.ts', 'export default class {}'],
    ['a default export by another name', 'src/cli/a.ts', 'export { a as default };'],
    ['a barrel by its name', 'src/cli/index.ts', 'export const a = 1;'],
    ['a barrel by its content', 'src/cli/all.ts', "export * from './a.ts';"],
    ['a long file', 'src/cli/a.ts', '// line\n'.repeat(301)],
  ])('catches %s', (_what, file, text) => {
    expect(shapeViolations(of({ [file]: text })).length).toBe(1);
  });

  it('lets a file have 300 lines', () => {
    expect(shapeViolations(of({ 'src/cli/a.ts': '// line\n'.repeat(300) }))).toEqual([]);
  });

  it.each(["'/home/me/models'", '"/tmp/x.sock"', '`/etc/sluice.yaml`', "'C:\\\\models'", "'file:///opt/sluice'"])(
    'catches the machine path %s',
    (literal) => {
      expect(pathViolations(of({ 'src/cli/a.ts': `const path = ${literal};` }), '/checkout').length).toBe(1);
    },
  );

  it('catches the folder of the checkout, and lets routes be', () => {
    expect(pathViolations(of({ 'bin/a.mjs': '// see /checkout/src' }), '/checkout').length).toBe(1);
    expect(pathViolations(of({ 'src/cli/a.ts': "const routes = ['/v2/models', '/metrics', '/'];" }), '/checkout')).toEqual([]);
  });
});
