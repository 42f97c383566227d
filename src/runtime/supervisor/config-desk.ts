import { shownConfig } from '../../config/change-text.ts';
import type { LoadedConfig } from '../../config/load-config.ts';
import type { ConfigControl, ConfigView, Reload, ReloadResult } from '../../core/config-control.ts';
import type { Fleet } from './fleet.ts';
import type { Reloader } from './reloader.ts';

export interface ConfigDeskOptions {
  readonly current: () => LoadedConfig;
  readonly fleet: Pick<Fleet, 'generation'>;
  readonly reloader: () => Reloader;
}

/** The config in force, without its secrets, and the way to another. */
export class ConfigDesk implements ConfigControl {
  readonly #o: ConfigDeskOptions;

  constructor(options: ConfigDeskOptions) {
    this.#o = options;
  }

  shown(): ConfigView {
    const { config, file } = this.#o.current();
    return { file, generation: this.#o.fleet.generation, config: shownConfig(config) };
  }

  async reload({ dryRun, actor, reason }: Reload): Promise<ReloadResult> {
    const reloader = this.#o.reloader();
    if (!dryRun) return reloader.reloadFor({ actor, reason });
    const look = reloader.look();
    return look.problem === '' ? { is: 'preview', changed: look.texts } : { is: 'refused', problem: look.problem };
  }
}
