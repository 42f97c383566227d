import { FieldReader, MAX_TEXT_BYTES } from './field-reader.ts';
import { finish, newWriter, openField, type Writer, writeCount, writeEntryText, writeText } from './message-writer.ts';

/** The messages of server reflection; v1 and v1alpha differ in the name of their package alone. */

export type ReflectionQuestion =
  | { readonly is: 'file' | 'symbol' | 'extension' | 'extensions' | 'services'; readonly name: string }
  | { readonly is: 'none' };

export interface ReflectionRequest {
  readonly host: string;
  readonly question: ReflectionQuestion;
}

export type ReflectionAnswer =
  | { readonly is: 'file'; readonly descriptor: Uint8Array }
  | { readonly is: 'services'; readonly names: readonly string[] }
  | { readonly is: 'error'; readonly code: number; readonly message: string };

const KINDS = { 3: 'file', 4: 'symbol', 5: 'extension', 6: 'extensions', 7: 'services' } as const;

/** ServerReflectionRequest, or why it is refused. */
export function decodeReflectionRequest(bytes: Uint8Array): ReflectionRequest | string {
  const reader = new FieldReader(bytes, 'ServerReflectionRequest');
  let seen = 0;
  let host = '';
  let question: ReflectionQuestion = { is: 'none' };
  while (reader.next()) {
    const { field } = reader;
    if (field === 1) {
      seen = reader.once(seen);
      host = reader.text(MAX_TEXT_BYTES);
    } else if (field === 3 || field === 4 || field === 5 || field === 6 || field === 7) {
      if (question.is !== 'none') reader.fail('two questions are asked, expected one');
      else question = { is: KINDS[field], name: field === 5 ? readExtension(reader) : reader.text(MAX_TEXT_BYTES) };
    } else reader.skip();
  }
  return reader.problem === '' ? { host, question } : reader.problem;
}

/** ServerReflectionResponse, with the question repeated as the protocol asks. */
export function encodeReflectionResponse(request: ReflectionRequest, original: Uint8Array, answer: ReflectionAnswer): Buffer {
  const writer = newWriter();
  writeText(writer, 1, request.host);
  writer.uint32((2 << 3) | 2).bytes(original);
  if (answer.is === 'file') {
    openField(writer, 4);
    writer.uint32((1 << 3) | 2).bytes(answer.descriptor);
    writer.ldelim();
  } else if (answer.is === 'services') writeServices(writer, answer.names);
  else {
    openField(writer, 7);
    writeCount(writer, 1, answer.code);
    writeText(writer, 2, answer.message);
    writer.ldelim();
  }
  return finish(writer);
}

/** ExtensionRequest: the type that would be extended. */
function readExtension(reader: FieldReader): string {
  let seen = 0;
  let name = '';
  reader.enter('ExtensionRequest');
  while (reader.next()) {
    if (reader.field === 1) {
      seen = reader.once(seen);
      name = reader.text(MAX_TEXT_BYTES);
    } else reader.skip();
  }
  reader.leave();
  return name;
}

function writeServices(writer: Writer, names: readonly string[]): void {
  openField(writer, 6);
  for (let i = 0; i < names.length; i++) {
    openField(writer, 1);
    writeEntryText(writer, 1, names[i]!);
    writer.ldelim();
  }
  writer.ldelim();
}
