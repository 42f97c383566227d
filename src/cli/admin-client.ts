import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reached } from '../core/control-plane.ts';
import { CliError, Exit } from './exit-codes.ts';
import { stateDirOf } from './state-dir.ts';

const TIMEOUT_MS = 10_000;

/** Where the admin API is and how to be let in. */
export interface AdminAccess {
  readonly url: string;
  readonly token: string;
}

/** From options, then the environment, then the file that a demo on this machine has written. */
export function findAdmin(options: { readonly url: string | undefined; readonly tokenFile: string | undefined }): AdminAccess {
  const url = options.url ?? process.env['SLUICE_ADMIN_URL'];
  const token = options.tokenFile === undefined ? process.env['SLUICE_ADMIN_TOKEN'] : readToken(options.tokenFile);
  if (url !== undefined && !URL.canParse(url))
    throw new CliError(Exit.Usage, `Found the admin URL "${url}"; expected one like ${DEFAULT_URL}.`);
  if (token !== undefined && token !== '') return { url: url ?? DEFAULT_URL, token };
  // The file's token goes to the file's address and nowhere else: a file left in some folder must not learn another's token.
  const local = readStateFile();
  const own = local?.secrets?.['admin.token'];
  if (own === undefined || local?.adminUrl === undefined || (url !== undefined && url !== local.adminUrl)) {
    throw new CliError(Exit.Usage, 'No admin token was found. Set SLUICE_ADMIN_TOKEN, or pass --token-file FILE.');
  }
  return { url: local.adminUrl, token: own };
}

const DEFAULT_URL = 'http://127.0.0.1:8082';

interface StateFile {
  readonly adminUrl?: string;
  readonly secrets?: Readonly<Record<string, string>>;
}

function readStateFile(): StateFile | null {
  try {
    return JSON.parse(readFileSync(join(stateDirOf('.sluice'), 'secrets.json'), 'utf8')) as StateFile;
  } catch {
    // No demo runs here; the other sources decide.
    return null;
  }
}

function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new CliError(Exit.Usage, `--token-file ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}

/** Options of every command that asks a running gateway. */
export const ACCESS_OPTIONS = { admin: { type: 'string' }, 'token-file': { type: 'string' } } as const;

/** How far a change has come, as commands print it. */
export const reachedText = ({ acknowledged, total }: Reached): string => `on ${acknowledged} of ${total} workers`;

/** One call to the admin API. Problems become a CliError with the gateway's own words. */
export async function callAdmin<Answer>(
  access: AdminAccess,
  method: string,
  path: string,
  body: unknown = null,
  timeoutMs = TIMEOUT_MS,
): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(new URL(`/admin/v1/${path}`, access.url), {
      method,
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
      headers: { authorization: `Bearer ${access.token}`, 'content-type': 'application/json' },
      body: body === null ? null : JSON.stringify(body),
    });
  } catch (error) {
    const cause = (error as Error).cause as NodeJS.ErrnoException | undefined;
    throw new CliError(
      Exit.Unavailable,
      `The admin API at ${access.url} cannot be reached (${cause?.code ?? (error as Error).name}). Is the gateway running?`,
    );
  }
  const text = await textOf(response, access.url);
  if (!response.ok) throw new CliError(codeOf(response.status), `${response.status}: ${detailOf(text)}`);
  try {
    return JSON.parse(text) as Answer;
  } catch {
    throw new CliError(Exit.Unavailable, `What answers at ${access.url} is no admin API of Sluice.`);
  }
}

/** A gateway that restarts cuts connections. */
async function textOf(response: Response, url: string): Promise<string> {
  try {
    return await response.text();
  } catch (error) {
    const cause = (error as Error).cause as NodeJS.ErrnoException | undefined;
    throw new CliError(
      Exit.Unavailable,
      `The answer of the admin API at ${url} broke off (${cause?.code ?? (error as Error).name}). A change may have been made: look before you repeat it.`,
    );
  }
}

function codeOf(status: number): Exit {
  if (status === 401 || status === 403) return Exit.NoPermission;
  return status >= 500 ? Exit.Unavailable : Exit.Failed;
}

function detailOf(text: string): string {
  try {
    return (JSON.parse(text) as { detail?: string }).detail ?? text;
  } catch {
    return text.slice(0, 200);
  }
}
