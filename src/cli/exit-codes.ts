/** Exit codes of the CLI, after sysexits.h. */
export const Exit = {
  Ok: 0,
  /**
   * Something failed that no other code names; of `diff`, the configs differ; of `health`, the gateway is not ready; of `audit`, the chain
   * is broken or changes are refused.
   */
  Failed: 1,
  /** The command line is wrong. */
  Usage: 64,
  /** The gateway cannot be reached, or refused for now. */
  Unavailable: 69,
  /** The gateway did not accept the credential. */
  NoPermission: 77,
  /** The config is wrong. */
  Config: 78,
} as const;
export type Exit = (typeof Exit)[keyof typeof Exit];

/** Thrown by commands to end with a message and a code. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code: Exit;

  constructor(code: Exit, message: string) {
    super(message);
    this.code = code;
  }
}
