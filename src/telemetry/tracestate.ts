/**
 * The `tracestate` header of W3C Trace Context: what each tracing system on the way has noted, the latest first.
 *
 *   rojo=00f067aa0ba902b7,tenant@congo=t61rcWkgMzE
 */

/** The specification asks for as many to be passed on; more are cut off. */
const MAX_BYTES = 512;
const MAX_MEMBERS = 32;
/** Members longer than this are the first to go. */
const LONG_MEMBER = 128;
/** Longer ones are not looked at. */
const MAX_LOOKED_AT = 4_096;

/** Key and value as the specification writes them: the value has no comma, no equals sign and no space at its end. */
const MEMBER = /^([a-z0-9][a-z0-9_\-*/@]{0,255})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** What may go on to a backend of the header's value, at most 512 bytes; empty when it is not well formed, which says nothing of traceparent. */
export function passedTracestate(value: string): string {
  if (value === '' || value.length > MAX_LOOKED_AT) return '';
  const members: string[] = [];
  const keys = new Set<string>();
  let length = -1;
  for (const part of value.split(',')) {
    const member = part.trim();
    // Empty members are allowed, and say nothing.
    if (member === '') continue;
    const key = MEMBER.exec(member)?.[1];
    if (key === undefined || keys.has(key) || members.length === MAX_MEMBERS) return '';
    keys.add(key);
    members.push(member);
    length += member.length + 1;
  }
  return length <= MAX_BYTES ? members.join(',') : shortened(members, length);
}

function shortened(members: string[], length: number): string {
  let left = length;
  for (let i = members.length - 1; i >= 0 && left > MAX_BYTES; i--) {
    if (members[i]!.length <= LONG_MEMBER) continue;
    left -= members[i]!.length + 1;
    members.splice(i, 1);
  }
  while (left > MAX_BYTES) left -= members.pop()!.length + 1;
  return members.join(',');
}
