/** What RFC 9113, 8.2.1 allows in names and values of fields. Strings have one character for each octet. */

const NAME_TABLE = new Uint8Array(256);
for (let octet = 0x21; octet < 0x7f; octet++) NAME_TABLE[octet] = 1;
for (let octet = 0x41; octet <= 0x5a; octet++) NAME_TABLE[octet] = 0;
const COLON = 0x3a;
NAME_TABLE[COLON] = 0;

/** No upper case, no control characters, nothing beyond ASCII; a colon stands first in pseudo-header fields and nowhere else. @hot */
export function isFieldName(name: string): boolean {
  const length = name.length;
  let i = length > 1 && name.charCodeAt(0) === COLON ? 1 : 0;
  if (length === 0) return false;
  for (; i < length; i++) if (NAME_TABLE[name.charCodeAt(i)] !== 1) return false;
  return true;
}

const SPACE = 0x20;
const TAB = 0x09;

/** No NUL, CR or LF anywhere, no blank at either end. @hot */
export function isFieldValue(value: string): boolean {
  const length = value.length;
  if (length === 0) return true;
  if (isBlank(value.charCodeAt(0)) || isBlank(value.charCodeAt(length - 1))) return false;
  for (let i = 0; i < length; i++) {
    const octet = value.charCodeAt(i);
    if (octet < SPACE && (octet === 0 || octet === 0x0a || octet === 0x0d)) return false;
  }
  return true;
}

const isBlank = (octet: number): boolean => octet === SPACE || octet === TAB;
