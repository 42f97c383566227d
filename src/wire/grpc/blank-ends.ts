import type { Metadata } from '@grpc/grpc-js';

/** What a caller hears whose metadata has a value with a blank at an end: no field of HTTP/2 may (RFC 9113, 8.2.1). */
export const blankEndText = (name: string): string =>
  `The value of the header field "${name}" begins or ends with a blank; expected none there.`;

const BLANK_END = /^[ \t]|[ \t]$/;

/** The name of an entry whose value begins or ends with a blank; empty where there is none. */
export function blankEndedEntry(metadata: Metadata): string {
  const entries = metadata.getMap();
  for (const name in entries) {
    const value = entries[name]!;
    if (typeof value === 'string' && BLANK_END.test(value)) return name;
  }
  return '';
}
