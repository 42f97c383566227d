import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';

/**
 * Turns off the package's own lines on stderr. It quotes metadata it cannot read, credentials included, and every failure it writes
 * about also reaches its caller.
 */
export function silencePackageLog(): void {
  setLogVerbosity(logVerbosity.NONE);
}
