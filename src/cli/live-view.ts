import { setTimeout as pause } from 'node:timers/promises';
import { CliError, Exit } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

/** Home, and everything below it cleared: what stays the same does not flicker. */
const REDRAW = '\u001b[H\u001b[J';
const CLEAR = '\u001b[2J';
export const LIVE_INTERVAL_MS = 1_000;

export interface LiveOptions {
  /** What to show now. */
  readonly render: () => Promise<string>;
  /** Ends the view. */
  readonly signal: AbortSignal;
  readonly intervalMs?: number;
}

/**
 * Shows `render` again and again until it is told to end. A terminal is redrawn; anywhere else a text is printed when it has changed. While the
 * gateway cannot be reached the last picture stays, with the reason beneath it, or among the errors where nothing is redrawn.
 */
export async function showLive(
  terminal: Terminal,
  { render, signal, intervalMs = LIVE_INTERVAL_MS }: LiveOptions,
): Promise<Exit> {
  let shown = '';
  let picture = '';
  let trouble = '';
  if (terminal.isLive) terminal.out(CLEAR);
  while (!signal.aborted) {
    const next = await pictureOf(render);
    if (next.picture !== '') picture = next.picture;
    const text = next.trouble === '' ? picture : `${picture}\n\n${next.trouble}`;
    if (terminal.isLive) terminal.out(`${REDRAW}${text}`);
    else if (next.trouble !== '' && next.trouble !== trouble) terminal.err(next.trouble);
    else if (next.trouble === '' && picture !== shown) terminal.out(picture);
    if (next.trouble === '') shown = picture;
    trouble = next.trouble;
    await pause(intervalMs, undefined, { signal }).catch(() => undefined);
  }
  return Exit.Ok;
}

async function pictureOf(render: () => Promise<string>): Promise<{ readonly picture: string; readonly trouble: string }> {
  try {
    return { picture: await render(), trouble: '' };
  } catch (error) {
    // A gateway that restarts is what one watches; a wrong name or token will not come right by waiting.
    if (error instanceof CliError && error.code === Exit.Unavailable) return { picture: '', trouble: error.message };
    throw error;
  }
}

/** Until a person says so. */
export function untilInterrupted(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  process.once('SIGTERM', () => controller.abort());
  return controller.signal;
}
