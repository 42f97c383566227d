import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { crossCheck } from './cross-checks.ts';
import { ConfigError, type ConfigProblem, problemsOf } from './problem.ts';
import { repeatedKeys } from './repeated-keys.ts';
import { type Config, config as schema } from './schema.ts';

/** A config larger than this is a mistake, or an attack on whoever edits it. */
const MAX_CONFIG_BYTES = 16 * 1024 * 1024;
/** The traffic plan of each takes ten kilobytes. */
const MAX_MODELS = 10_000;

export interface LoadedConfig {
  readonly config: Config;
  /** Absolute path of the file. */
  readonly file: string;
  /** Folder that relative paths in the config start from. */
  readonly baseDir: string;
}

/** Reads and checks a YAML config. Throws ConfigError with every problem found. */
export function loadConfig(path: string): LoadedConfig {
  const file = resolve(path);
  return { config: parseConfig(readText(file), file), file, baseDir: dirname(file) };
}

/** The same for a text that is at hand; `file` stands in messages. */
export function parseConfig(text: string, file: string): Config {
  // Aliases are bounded so that a few lines cannot unfold into gigabytes.
  const document = parseDocument(text, { uniqueKeys: false, strict: true });
  if (document.errors.length > 0) {
    throw new ConfigError(
      file,
      document.errors.map((error) => ({ path: '', message: `not YAML: ${error.message.split('\n')[0]}` })),
    );
  }
  const repeated = repeatedKeys(document);
  if (repeated.length > 0) throw new ConfigError(file, repeated);
  const input: unknown = unfold(document, file);
  const crowd = tooManyModels(input);
  if (crowd !== null) throw new ConfigError(file, [crowd]);
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw new ConfigError(file, problemsOf(parsed.error.issues, input));
  const problems = crossCheck(parsed.data);
  if (problems.length > 0) throw new ConfigError(file, problems);
  return parsed.data;
}

/** Told before each of them is looked at. */
function tooManyModels(input: unknown): ConfigProblem | null {
  const models = (input as { readonly models?: unknown } | null)?.models;
  const found = typeof models === 'object' && models !== null ? Object.keys(models).length : 0;
  return found <= MAX_MODELS ? null : { path: 'models', message: `found ${found}; expected at most ${MAX_MODELS}` };
}

function unfold(document: ReturnType<typeof parseDocument>, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new ConfigError(file, [{ path: '', message: `not YAML: ${(error as Error).message}` }]);
  }
}

function readText(file: string): string {
  try {
    const size = statSync(file).size;
    if (size > MAX_CONFIG_BYTES) {
      throw new ConfigError(file, [{ path: '', message: `found ${size} bytes; expected at most ${MAX_CONFIG_BYTES}` }]);
    }
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(file, [{ path: '', message: `cannot be read: ${(error as Error).message}` }]);
  }
}
