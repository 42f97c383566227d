import { resolve } from 'node:path';

/** The folder for generated secrets: the environment decides over the config, so that two gateways can run from one config. */
export function stateDirOf(configured: string): string {
  return resolve(process.env['SLUICE_STATE_DIR'] ?? configured);
}
