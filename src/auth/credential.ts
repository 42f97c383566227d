import type { Head } from '../core/exchange.ts';

/** What a caller sent that cannot be a credential here. No identity knows it: it is neither a key nor a token of any kind. */
export const UNUSABLE_CREDENTIAL = '?';

const SCHEME = 'bearer ';

/**
 * The credential of a request, from `authorization: Bearer …` or `x-api-key`; empty when it has none.
 *
 * Two that differ are unusable: this gateway and a proxy before it could each believe the other one. So is an `authorization` of
 * another scheme with no `x-api-key` beside it, since something was sent, though nothing that can be checked.
 */
export function credentialOf(head: Head): string {
  const { notes } = head;
  if (notes === null) return readCredential(head);
  notes.credential ??= readCredential(head);
  return notes.credential;
}

function readCredential(head: Head): string {
  const authorization = head.header('authorization');
  const apiKey = head.header('x-api-key').trim();
  if (authorization === '') return apiKey;
  const token = bearerToken(authorization);
  if (token === '') return apiKey === '' ? UNUSABLE_CREDENTIAL : apiKey;
  return apiKey === '' || apiKey === token ? token : UNUSABLE_CREDENTIAL;
}

/** Empty when the scheme is another or the token is missing. */
function bearerToken(authorization: string): string {
  const value = authorization.trim();
  return value.slice(0, SCHEME.length).toLowerCase() === SCHEME ? value.slice(SCHEME.length).trim() : '';
}
