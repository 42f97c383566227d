import { FieldReader, MAX_TEXT_BYTES } from './field-reader.ts';
import { finish, newWriter, openField, writeParameters, writeText } from './message-writer.ts';
import { type ParameterMap, readParameter } from './parameter-map.ts';

/** The messages of ModelStreamInfer: answers and refusals travel in one kind of message, told apart by the id of their request. */

/** What a stream has to know of a request besides what every face reads. */
export interface StreamedRequest {
  /** Empty when the request has none, or cannot be read. */
  readonly id: string;
  /** The caller wants its last answer marked: `triton_enable_empty_final_response`. */
  readonly marksFinal: boolean;
}

/** Name, value, name, value: what a unary call would carry as metadata. */
export type Fields = readonly string[];

const UNREADABLE: StreamedRequest = Object.freeze({ id: '', marksFinal: false });

/** Reads id and mark of a ModelInferRequest and passes over the rest; also of one that is refused, so that its refusal can be told apart. */
export function readStreamedRequest(bytes: Uint8Array): StreamedRequest {
  const reader = new FieldReader(bytes, 'ModelInferRequest');
  let id = '';
  let seen = 0;
  let parameters: ParameterMap | null = null;
  while (reader.next()) {
    if (reader.field === 3) {
      seen = reader.once(seen);
      id = reader.text(MAX_TEXT_BYTES);
    } else if (reader.field === 4) {
      parameters ??= new Map();
      readParameter(reader, parameters);
    } else reader.skip();
  }
  if (reader.problem !== '') return UNREADABLE;
  return { id, marksFinal: parameters !== null && parameters.get('triton_enable_empty_final_response') === true };
}

/**
 * ModelStreamInferResponse around a ModelInferResponse that is written already, which is not copied: `fields` and the mark follow it as
 * parameters, since fields of a message may come in any order.
 */
export function wrapStreamAnswer(answer: readonly Uint8Array[], fields: Fields, isFinal: boolean): Uint8Array[] {
  const parameters = parametersOf(fields, isFinal);
  let size = parameters.length;
  for (let i = 0; i < answer.length; i++) size += answer[i]!.length;
  return [head(size), ...answer, parameters];
}

/** ModelStreamInferResponse for a request that failed: the reason, and what says which request it was. */
export function encodeStreamRefusal(message: string, request: StreamedRequest, fields: Fields): Buffer {
  const writer = newWriter();
  // An empty reason would look like an answer.
  writeText(writer, 1, message === '' ? 'The request failed.' : message);
  openField(writer, 2);
  writeText(writer, 3, request.id);
  writeParameters(writer, 4, parameterMap(fields, request.marksFinal));
  writer.ldelim();
  return finish(writer);
}

/** Tag and length of field 2, infer_response. */
function head(size: number): Buffer {
  const writer = newWriter();
  writer.uint32((2 << 3) | 2).uint32(size);
  return finish(writer);
}

function parametersOf(fields: Fields, isFinal: boolean): Buffer {
  const writer = newWriter();
  writeParameters(writer, 4, parameterMap(fields, isFinal));
  return finish(writer);
}

function parameterMap(fields: Fields, isFinal: boolean): Map<string, string | boolean> {
  const map = new Map<string, string | boolean>();
  for (let i = 0; i + 1 < fields.length; i += 2) map.set(fields[i]!, fields[i + 1]!);
  if (isFinal) map.set('triton_final_response', true);
  return map;
}
