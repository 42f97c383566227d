import type { Command } from './commands/command.ts';

/** Every word of the CLI. Each loads its own code alone, since a probe that runs every few seconds must not cost half a second of CPU time. */
export const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ['serve', async () => (await import('./commands/serve.ts')).serve],
  ['check', async () => (await import('./commands/check.ts')).check],
  ['diff', async () => (await import('./commands/diff.ts')).diff],
  ['split', async () => (await import('./commands/split.ts')).split],
  ['compare', async () => (await import('./commands/compare.ts')).compare],
  ['switch', async () => (await import('./commands/switch.ts')).switch],
  ['rollback', async () => (await import('./commands/rollback.ts')).rollback],
  ['history', async () => (await import('./commands/history.ts')).history],
  ['pins', async () => (await import('./commands/pins.ts')).pins],
  ['fallbacks', async () => (await import('./commands/fallbacks.ts')).fallbacks],
  ['rollout', async () => (await import('./commands/rollout.ts')).rollout],
  ['keys', async () => (await import('./commands/keys.ts')).keys],
  ['audit', async () => (await import('./commands/audit.ts')).audit],
  ['backends', async () => (await import('./commands/backends.ts')).backends],
  ['restart', async () => (await import('./commands/restart.ts')).restart],
  ['explain', async () => (await import('./commands/explain.ts')).explain],
  ['completion', async () => (await import('./commands/completion.ts')).completionOf(everyCommand)],
  ['health', async () => (await import('./commands/health.ts')).health],
]);

export const everyCommand = (): Promise<readonly Command[]> => Promise.all([...COMMANDS.values()].map((load) => load()));
