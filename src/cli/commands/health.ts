import { get as getPlain } from 'node:http';
import { get as getTls } from 'node:https';
import { parseArgs } from 'node:util';
import { CliError, Exit } from '../exit-codes.ts';
import type { Command } from './command.ts';

/** Probes give up at three seconds; the answer has to be there before. */
const LIMIT_MS = 2_000;
const DEFAULT_URL = 'http://127.0.0.1:8080';
/** Open to anyone on the data port, so a probe needs no credential. */
const READY_PATH = '/v2/health/ready';

/** Asks a gateway whether it is ready, for container probes. Loads nothing of the gateway itself: it runs every few seconds. */
export const health: Command = {
  name: 'health',
  usage: 'health [--url URL]',
  summary: `Ask the HTTP port (SLUICE_HEALTH_URL, or ${DEFAULT_URL}) whether it is ready: exit 0 or 1, within 2 s.`,
  examples: ['sluice health', 'sluice health --url http://127.0.0.1:9000'],
  async run(args, terminal) {
    const url = urlOf(args);
    const problem = await problemAt(url);
    if (problem === '') terminal.out('ready');
    else terminal.err(`${url.origin} is not ready: ${problem}`);
    return problem === '' ? Exit.Ok : Exit.Failed;
  },
};

/** A URL with a path of its own, such as the admin port's /healthz, is asked as it is. */
function urlOf(args: readonly string[]): URL {
  let text: string;
  try {
    text = parseArgs({ args: [...args], options: { url: { type: 'string' } } }).values.url ?? '';
  } catch (error) {
    throw new CliError(Exit.Usage, `${(error as Error).message}\nUsage: sluice ${health.usage}`);
  }
  if (text === '') text = process.env['SLUICE_HEALTH_URL'] ?? DEFAULT_URL;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new CliError(Exit.Usage, `Found the URL "${text}"; expected one like ${DEFAULT_URL}.`);
  }
  if (url.pathname === '/') url.pathname = READY_PATH;
  return url;
}

/** Empty when it is ready. */
function problemAt(url: URL): Promise<string> {
  return new Promise((resolve) => {
    // The certificate names the public host and not this one; a probe carries nothing that could be stolen.
    const options = { agent: false, rejectUnauthorized: false } as const;
    const request = (url.protocol === 'https:' ? getTls : getPlain)(url, options, (response) => {
      done(response.statusCode === 200 ? '' : `it answered ${response.statusCode}`);
    });
    const timer = setTimeout(() => done(`no answer within ${LIMIT_MS} ms`), LIMIT_MS);
    const done = (problem: string): void => {
      clearTimeout(timer);
      resolve(problem);
      request.destroy();
    };
    request.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
  });
}
