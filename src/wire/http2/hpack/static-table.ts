/** The static table of RFC 7541, Appendix A. Index 0 is no entry: the table counts from 1. */
const ENTRIES: readonly (readonly [name: string, value: string])[] = [
  ['', ''],
  [':authority', ''],
  [':method', 'GET'],
  [':method', 'POST'],
  [':path', '/'],
  [':path', '/index.html'],
  [':scheme', 'http'],
  [':scheme', 'https'],
  [':status', '200'],
  [':status', '204'],
  [':status', '206'],
  [':status', '304'],
  [':status', '400'],
  [':status', '404'],
  [':status', '500'],
  ['accept-charset', ''],
  ['accept-encoding', 'gzip, deflate'],
  ['accept-language', ''],
  ['accept-ranges', ''],
  ['accept', ''],
  ['access-control-allow-origin', ''],
  ['age', ''],
  ['allow', ''],
  ['authorization', ''],
  ['cache-control', ''],
  ['content-disposition', ''],
  ['content-encoding', ''],
  ['content-language', ''],
  ['content-length', ''],
  ['content-location', ''],
  ['content-range', ''],
  ['content-type', ''],
  ['cookie', ''],
  ['date', ''],
  ['etag', ''],
  ['expect', ''],
  ['expires', ''],
  ['from', ''],
  ['host', ''],
  ['if-match', ''],
  ['if-modified-since', ''],
  ['if-none-match', ''],
  ['if-range', ''],
  ['if-unmodified-since', ''],
  ['last-modified', ''],
  ['link', ''],
  ['location', ''],
  ['max-forwards', ''],
  ['proxy-authenticate', ''],
  ['proxy-authorization', ''],
  ['range', ''],
  ['referer', ''],
  ['refresh', ''],
  ['retry-after', ''],
  ['server', ''],
  ['set-cookie', ''],
  ['strict-transport-security', ''],
  ['transfer-encoding', ''],
  ['user-agent', ''],
  ['vary', ''],
  ['via', ''],
  ['www-authenticate', ''],
];

export const STATIC_NAMES: readonly string[] = ENTRIES.map(([name]) => name);
export const STATIC_VALUES: readonly string[] = ENTRIES.map(([, value]) => value);

/** The last index of this table; the dynamic table follows it (RFC 7541, 2.3.3). */
export const STATIC_LAST = ENTRIES.length - 1;

const NAME_INDEX = new Map<string, number>();
for (let i = STATIC_LAST; i > 0; i--) NAME_INDEX.set(STATIC_NAMES[i]!, i);

/** The first entry with this name; 0 where there is none. */
export const staticNameIndex = (name: string): number => NAME_INDEX.get(name) ?? 0;

/** The entry with this name and this value; 0 where there is none. */
export function staticIndex(name: string, value: string): number {
  for (let i = staticNameIndex(name); i > 0 && i <= STATIC_LAST && STATIC_NAMES[i] === name; i++) {
    if (STATIC_VALUES[i] === value) return i;
  }
  return 0;
}
