/** Printable ASCII without quote and backslash needs no escape in JSON, and nearly every value is nothing else. @hot */
export function isPlain(code: number): boolean {
  return code >= 0x20 && code <= 0x7e && code !== QUOTE && code !== BACKSLASH;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Legal in JSON, yet obeyed by terminals or viewers: controls, line separators and marks that turn the direction of text. */
const UNSAFE = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** What stands between the quotes of a JSON string: never longer than six characters for one, and safe to look at in a terminal. */
export function escaped(value: string): string {
  return JSON.stringify(value).slice(1, -1).replace(UNSAFE, unicodeEscape);
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
