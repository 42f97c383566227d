import { randomUUID } from 'node:crypto';

/** Ids longer than this, or with other characters, are replaced: they go into logs and headers as they are. */
const OWN_ID = /^[A-Za-z0-9._:-]{1,64}$/;

/** The caller's id when it is safe to repeat, else a fresh one. */
export function requestIdOf(stated: string): string {
  return stated !== '' && OWN_ID.test(stated) ? stated : randomUUID();
}
