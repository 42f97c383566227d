import { availableParallelism } from 'node:os';
import type { LoadedConfig } from '../../config/load-config.ts';
import type { GenerationSpec } from './generation.ts';
import type { LeaseDesk } from './lease-desk.ts';
import { workerShare } from './worker-share.ts';

/** What workers of a config are made from, each with its share of the limits. */
export function specOf(
  { config, file, baseDir }: LoadedConfig,
  {
    secrets,
    version,
    desk,
  }: { readonly secrets: ReadonlyMap<string, string>; readonly version: string; readonly desk: LeaseDesk },
): GenerationSpec {
  const size = config.workers === 'auto' ? availableParallelism() : config.workers;
  return {
    size,
    start: { workers: size, config: workerShare(config, size), file, baseDir, version, secrets },
    desk,
    supervision: config.supervision,
    drain: config.shutdown,
  };
}
