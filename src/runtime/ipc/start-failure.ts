import { ConfigError } from '../../config/problem.ts';
import type { StartFailure } from './messages.ts';

/** Why a process cannot begin, as it goes from a worker to its supervisor. */
export function failureOf(error: unknown): StartFailure {
  if (error instanceof ConfigError) return { is: 'config', file: error.file, problems: error.problems };
  return { is: 'error', message: error instanceof Error ? error.message : String(error) };
}

/** The error that it was, so that it ends the supervisor as it would have ended one process alone. */
export function errorOf(failure: StartFailure): Error {
  return failure.is === 'config' ? new ConfigError(failure.file, failure.problems) : new Error(failure.message);
}
