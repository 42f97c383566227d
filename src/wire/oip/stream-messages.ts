import type { Tensor } from '../../core/inference.ts';
import { FieldReader, MAX_TEXT_BYTES } from './field-reader.ts';
import { decodeInferResponse } from './infer-response.ts';
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
 * parameters, since fields of a message may come in any order. `isFinal` is null where the caller wants no mark.
 */
export function wrapStreamAnswer(answer: readonly Uint8Array[], fields: Fields, isFinal: boolean | null): Uint8Array[] {
  const parameters = parametersOf(fields, isFinal);
  let size = parameters.length;
  for (let i = 0; i < answer.length; i++) size += answer[i]!.length;
  return [head(size), ...answer, parameters];
}

/** One message of a backend's stream. `problem` says why it is refused, `error` what the backend says went wrong; both are mostly empty. */
export interface StreamAnswer {
  readonly problem: string;
  readonly error: string;
  readonly outputs: Tensor[];
}

/** ModelStreamInferResponse from a backend's bytes; its tensors are views. */
export function decodeStreamAnswer(bytes: Uint8Array): StreamAnswer {
  const reader = new FieldReader(bytes, 'ModelStreamInferResponse');
  let error = '';
  let response: Uint8Array | null = null;
  let seen = 0;
  while (reader.next()) {
    if (reader.field <= 2) {
      seen = reader.once(seen);
      if (reader.field === 1) error = reader.text(MAX_TEXT_BYTES);
      else response = reader.view();
    } else reader.skip();
  }
  if (reader.problem !== '' || response === null || error !== '') return { problem: reader.problem, error, outputs: [] };
  const answer = decodeInferResponse(response);
  return typeof answer === 'string' ? { problem: answer, error, outputs: [] } : { problem: '', error, outputs: answer.outputs };
}

/** ModelStreamInferResponse for a request that failed: the reason, and what says which request it was. */
export function encodeStreamRefusal(message: string, request: StreamedRequest, fields: Fields): Buffer {
  const writer = newWriter();
  // An empty reason would look like an answer.
  writeText(writer, 1, message === '' ? 'The request failed.' : message);
  openField(writer, 2);
  writeText(writer, 3, request.id);
  writeParameters(writer, 4, parameterMap(fields, request.marksFinal ? true : null));
  writer.ldelim();
  return finish(writer);
}

/** Tag and length of field 2, infer_response. */
function head(size: number): Buffer {
  const writer = newWriter();
  writer.uint32((2 << 3) | 2).uint32(size);
  return finish(writer);
}

function parametersOf(fields: Fields, isFinal: boolean | null): Buffer {
  const writer = newWriter();
  writeParameters(writer, 4, parameterMap(fields, isFinal));
  return finish(writer);
}

function parameterMap(fields: Fields, isFinal: boolean | null): Map<string, string | boolean> {
  const map = new Map<string, string | boolean>();
  for (let i = 0; i + 1 < fields.length; i += 2) map.set(fields[i]!, fields[i + 1]!);
  if (isFinal !== null) map.set('triton_final_response', isFinal);
  return map;
}
