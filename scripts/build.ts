import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Builds `dist/` from `src/` for places that hold no sources, such as the image. */
const ROOT = resolve(import.meta.dirname, '..');
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');

// A file that a former build left would still be found by an import that should fail.
rmSync(join(ROOT, 'dist'), { recursive: true, force: true });

const { status, error } = spawnSync(process.execPath, [TSC, '--project', join(ROOT, 'tsconfig.build.json')], {
  stdio: 'inherit',
});
if (status !== 0) {
  console.error(`build failed: ${error?.message ?? `tsc ended with ${status}`}. Run "npm ci" if it is not installed.`);
  process.exit(1);
}

// Whatever lies among the sources and is no source (pages, tables) is read from beside the built file.
const assets = readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true }).filter(
  (entry) => entry.isFile() && !entry.name.endsWith('.ts'),
);
for (const asset of assets) {
  const from = join(asset.parentPath, asset.name);
  cpSync(from, from.replace(join(ROOT, 'src'), join(ROOT, 'dist')));
}
console.log(
  `built dist (${readdirSync(join(ROOT, 'dist'), { recursive: true }).filter((name) => String(name).endsWith('.js')).length} files)`,
);
