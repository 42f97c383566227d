import { type FieldReader, MAX_TEXT_BYTES, quoted } from './field-reader.ts';

/** Reads the protocol's parameter maps. Which parameters count is for the caller to say; here every one is checked and none trusted. */

/** Null for a parameter that was named and given no value. */
export type ParameterValue = string | number | bigint | boolean | null;
export type ParameterMap = Map<string, ParameterValue>;

/** Parameters of a map. Requests carry a handful; the cap keeps the look for equal keys cheap. */
const MAX_PARAMETERS = 64;
/** Longest text value, also of parameters that are dropped. */
const MAX_VALUE_BYTES = 65_536;

/** Reads one entry of map<string, InferParameter> into `found`. */
export function readParameter(reader: FieldReader, found: ParameterMap): void {
  readEntry(reader, found, readChoice);
}

/** Reads one entry of map<string, string> into `found`. */
export function readProperty(reader: FieldReader, found: ParameterMap): void {
  readEntry(reader, found, readValueText);
}

function readEntry(reader: FieldReader, found: ParameterMap, readValue: (reader: FieldReader) => ParameterValue): void {
  let seen = 0;
  let key = '';
  let value: ParameterValue = null;
  reader.enter('parameter');
  while (reader.next()) {
    if (reader.field > 2) {
      reader.skip();
      continue;
    }
    seen = reader.once(seen);
    if (reader.field === 1) key = reader.text(MAX_TEXT_BYTES);
    else value = readValue(reader);
  }
  reader.leave();
  if (reader.problem !== '') return;
  if (found.has(key)) reader.fail(`parameter ${quoted(key)} comes twice, expected it once`);
  else if (found.size >= MAX_PARAMETERS) reader.fail(`a map holds more than ${MAX_PARAMETERS} parameters`);
  else found.set(key, value);
}

/** InferParameter: one of five fields. */
function readChoice(reader: FieldReader): ParameterValue {
  let value: ParameterValue = null;
  reader.enter('InferParameter');
  while (reader.next()) {
    const field = reader.field;
    if (field > 5) {
      reader.skip();
      continue;
    }
    if (value !== null) reader.fail('a parameter has two values, expected one');
    else if (field === 1) value = reader.bool();
    else if (field === 2) value = reader.expect(0) ? reader.signed() : null;
    else if (field === 3) value = readValueText(reader);
    else if (field === 4) value = reader.double();
    else value = reader.expect(0) ? reader.unsigned() : null;
  }
  reader.leave();
  return value;
}

function readValueText(reader: FieldReader): string {
  return reader.text(MAX_VALUE_BYTES);
}
