import { AdminServer } from '../../admin/admin-server.ts';
import { type LoadedConfig, loadConfig } from '../../config/load-config.ts';
import { ForkedWorker } from '../../runtime/supervisor/forked-worker.ts';
import { Supervisor } from '../../runtime/supervisor/supervisor.ts';
import { adminUrlOf, banner } from '../banner.ts';
import { CliError, Exit } from '../exit-codes.ts';
import { stateDirOf } from '../state-dir.ts';
import type { Terminal } from '../terminal.ts';
import { readVersion } from '../version.ts';
import type { Command } from './command.ts';

/** Runs the gateway until SIGTERM or SIGINT: this process is the supervisor. */
export const serve: Command = {
  name: 'serve',
  usage: 'serve <config>',
  summary: 'Run the gateway. SIGTERM finishes what is in flight; a second one stops at once. SIGHUP takes over the config anew.',
  examples: ['sluice serve config/demo.yaml'],
  async run(args, terminal) {
    const [file, ...rest] = args;
    if (file === undefined || rest.length > 0) throw new CliError(Exit.Usage, `Usage: sluice ${serve.usage}`);
    return run(loadConfig(file), terminal);
  },
};

async function run(loaded: LoadedConfig, terminal: Terminal): Promise<Exit> {
  const gateway: Supervisor = new Supervisor({
    ...loaded,
    env: process.env,
    version: readVersion(),
    stateDir: stateDirOf(loaded.config.stateDir),
    spawn: () => new ForkedWorker(),
    renewed: () => admin.renew(gateway.adminTls),
  });
  const admin: AdminServer = new AdminServer({
    config: loaded.config.listen.admin,
    holders: () => gateway.admins,
    tls: gateway.adminTls,
    plane: gateway.plane,
    within: (caller, run) => gateway.callers.within(caller, run),
    onDenied: (reason, fields) => gateway.denied(reason, fields),
    onError: (error) => gateway.log.error('admin request failed', { err: error }),
  });
  const stopped = stopOnSignal(gateway);
  try {
    const ports = await gateway.start();
    if (ports === null) return await stopped;
    const adminPort = await admin.listen();
    const unsaved = gateway.saveSecrets(adminUrlOf(loaded, adminPort));
    if (unsaved !== '') gateway.log.warn('generated secrets stay in memory alone', { reason: unsaved });
    terminal.out(banner({ ...ports, admin: adminPort }, loaded, gateway));
    return await stopped;
  } finally {
    await admin.close();
    await gateway.stop();
  }
}

/** Resolves when the first signal has drained the gateway. */
function stopOnSignal(gateway: Supervisor): Promise<Exit> {
  return new Promise((resolve) => {
    let signals = 0;
    const onSignal = (signal: NodeJS.Signals): void => {
      signals++;
      // The second one means now: whoever waits for the drain is told by the exit code that it was not finished.
      if (signals > 1) {
        gateway.stopHard();
        process.exit(Exit.Failed);
      }
      gateway.log.info('stopping', { signal });
      void gateway.stop().then(() => resolve(Exit.Ok));
    };
    process.on('SIGHUP', () => void gateway.reload());
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}
