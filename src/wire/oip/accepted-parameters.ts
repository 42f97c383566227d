import type { Params } from '../../core/inference.ts';
import { type FieldReader, quoted } from './field-reader.ts';
import type { ParameterMap, ParameterValue } from './parameter-map.ts';

/** The few parameters of a caller that are acted on or forwarded; all others are dropped, for some of them open a backend's memory. */
export interface AcceptedParameters {
  readonly params: Params;
  readonly timeoutUs: number;
  readonly sequenceId: string;
}

const NONE: AcceptedParameters = Object.freeze({ params: new Map(), timeoutUs: 0, sequenceId: '' });

/** Picks the allowed parameters of a request; a wrong type is a problem of `reader`. */
export function acceptParameters(reader: FieldReader, found: ParameterMap | null): AcceptedParameters {
  if (found === null) return NONE;
  const params = new Map<string, string | number | bigint | boolean>();
  const sequence = found.get('sequence_id');
  if (sequence !== undefined && typeof sequence !== 'string' && !isCount(sequence)) {
    refuse(reader, 'sequence_id', sequence, 'a string or a whole number from 0');
  } else if (sequence !== undefined && sequence !== '' && sequence !== 0) params.set('sequence_id', sequence);
  acceptFlag(reader, found, params, 'sequence_start');
  acceptFlag(reader, found, params, 'sequence_end');
  const priority = found.get('priority');
  if (priority !== undefined && isCount(priority)) params.set('priority', priority);
  else if (priority !== undefined) refuse(reader, 'priority', priority, 'a whole number from 0');
  return { params, timeoutUs: timeoutOf(reader, found), sequenceId: params.has('sequence_id') ? String(sequence) : '' };
}

/**
 * Refuses tensors in a backend's shared memory, since over a gateway a caller could read what is not theirs; and the wish for labels in
 * place of scores, since scores would be taken for them.
 */
export function refuseUnserved(reader: FieldReader, found: ParameterMap | null, tensor: string): void {
  if (found === null) return;
  for (const key of found.keys()) {
    if (key.startsWith('shared_memory_')) {
      reader.fail(`tensor ${quoted(tensor)} has the parameter ${quoted(key)}; shared memory is not taken, send the bytes`);
    }
    if (key === 'classification')
      reader.fail(`tensor ${quoted(tensor)} asks for classification, which is not done here; rank the scores`);
  }
}

function acceptFlag(
  reader: FieldReader,
  found: ParameterMap,
  params: Map<string, string | number | bigint | boolean>,
  name: string,
): void {
  const value = found.get(name);
  if (value === undefined) return;
  if (typeof value === 'boolean') params.set(name, value);
  else refuse(reader, name, value, 'a bool');
}

function timeoutOf(reader: FieldReader, found: ParameterMap): number {
  const timeout = found.get('timeout');
  if (timeout === undefined) return 0;
  if (!isCount(timeout)) refuse(reader, 'timeout', timeout, 'whole microseconds from 0');
  // Past the exact numbers lie centuries; the least of all timeouts wins anyway.
  return typeof timeout === 'number' ? timeout : Number.MAX_SAFE_INTEGER;
}

function isCount(value: ParameterValue): value is number | bigint {
  return typeof value === 'bigint' ? value >= 0n : Number.isSafeInteger(value) && (value as number) >= 0;
}

function refuse(reader: FieldReader, name: string, value: ParameterValue, expected: string): void {
  const foundText = typeof value === 'string' ? quoted(value) : value === null ? 'no value' : String(value);
  reader.fail(`parameter ${name} is ${foundText}, expected ${expected}`);
}
