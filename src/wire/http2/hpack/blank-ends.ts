import type { FieldList } from './field-list.ts';
import { isFieldName, isFieldValue } from './field-rules.ts';

const COLON = 0x3a;
const BLANKS = /^[ \t]+|[ \t]+$/g;

/**
 * The name of the first field whose value begins or ends with a blank, where a malformed list has no other flaw; else empty. RFC 9113, 8.2.1
 * makes such a message malformed, and lets the status say how: a blank behind a value is a slip that its sender wants to hear of in words.
 */
export function blankEndedField(fields: FieldList): string {
  let found = '';
  for (let i = 0; i < fields.count; i++) {
    const name = fields.names[i]!;
    const value = fields.values[i]!;
    if (!isFieldName(name)) return '';
    if (isFieldValue(value)) continue;
    if (name.charCodeAt(0) === COLON || !isFieldValue(value.replace(BLANKS, ''))) return '';
    if (found === '') found = name;
  }
  return found;
}
