import type { TensorSpec } from '../../core/signature.ts';
import { FieldReader, MAX_TEXT_BYTES } from './field-reader.ts';
import { finish, newWriter, writeBool, writeEntryText, writeTensorHeads, writeText } from './message-writer.ts';
import { type ParameterMap, readProperty } from './parameter-map.ts';
import { readTensorSpec } from './tensor-reader.ts';

/** The messages about servers and models. Each decoder gives the value or, as a string, why the bytes are refused. */

/** Entries of a list: versions, extensions, inputs or outputs of one model. More are refused. */
const MAX_LISTED = 1_024;

export interface ModelName {
  readonly name: string;
  /** Empty when none is asked for. */
  readonly version: string;
}

export interface ServerMetadata {
  readonly name: string;
  readonly version: string;
  readonly extensions: readonly string[];
}

/** What a model takes and gives. A backend's `properties` are checked and dropped. */
export interface ModelMetadata {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/** ServerLiveRequest, ServerReadyRequest and ServerMetadataRequest hold nothing. */
export function encodeEmpty(): Buffer {
  return Buffer.alloc(0);
}

/** Why a message that should hold nothing is refused; empty when it is fine. Fields of a later protocol are passed over. */
export function decodeEmpty(bytes: Uint8Array): string {
  const reader = new FieldReader(bytes, 'Request');
  while (reader.next()) reader.skip();
  return reader.problem;
}

/** ModelReadyRequest and ModelMetadataRequest. */
export function encodeModelNameRequest(name: string, version: string): Buffer {
  const writer = newWriter();
  writeText(writer, 1, name);
  writeText(writer, 2, version);
  return finish(writer);
}

export function decodeModelNameRequest(bytes: Uint8Array): ModelName | string {
  const reader = new FieldReader(bytes, 'Request');
  const texts = ['', '', ''];
  let seen = 0;
  while (reader.next()) {
    if (reader.field <= 2) {
      seen = reader.once(seen);
      texts[reader.field] = reader.text(MAX_TEXT_BYTES);
    } else reader.skip();
  }
  return reader.problem === '' ? { name: texts[1]!, version: texts[2]! } : reader.problem;
}

/** ServerLiveResponse, ServerReadyResponse and ModelReadyResponse. */
export function encodeReady(ready: boolean): Buffer {
  const writer = newWriter();
  writeBool(writer, 1, ready);
  return finish(writer);
}

export function decodeReady(bytes: Uint8Array): boolean | string {
  const reader = new FieldReader(bytes, 'Response');
  let seen = 0;
  let ready = false;
  while (reader.next()) {
    if (reader.field === 1) {
      seen = reader.once(seen);
      ready = reader.bool();
    } else reader.skip();
  }
  return reader.problem === '' ? ready : reader.problem;
}

export function encodeServerMetadata(metadata: ServerMetadata): Buffer {
  const writer = newWriter();
  writeText(writer, 1, metadata.name);
  writeText(writer, 2, metadata.version);
  for (let i = 0; i < metadata.extensions.length; i++) writeEntryText(writer, 3, metadata.extensions[i]!);
  return finish(writer);
}

export function decodeServerMetadata(bytes: Uint8Array): ServerMetadata | string {
  const reader = new FieldReader(bytes, 'ServerMetadataResponse');
  const texts = ['', '', ''];
  const extensions: string[] = [];
  let seen = 0;
  while (reader.next()) {
    if (reader.field <= 2) {
      seen = reader.once(seen);
      texts[reader.field] = reader.text(MAX_TEXT_BYTES);
    } else if (reader.field === 3) readListed(reader, extensions);
    else reader.skip();
  }
  return reader.problem === '' ? { name: texts[1]!, version: texts[2]!, extensions } : reader.problem;
}

export function encodeModelMetadata(metadata: ModelMetadata): Buffer {
  const writer = newWriter();
  writeText(writer, 1, metadata.name);
  for (let i = 0; i < metadata.versions.length; i++) writeEntryText(writer, 2, metadata.versions[i]!);
  writeText(writer, 3, metadata.platform);
  writeTensorHeads(writer, 4, metadata.inputs);
  writeTensorHeads(writer, 5, metadata.outputs);
  return finish(writer);
}

export function decodeModelMetadata(bytes: Uint8Array): ModelMetadata | string {
  const reader = new FieldReader(bytes, 'ModelMetadataResponse');
  const draft = new MetadataDraft();
  while (reader.next()) readMetadataField(reader, draft);
  if (reader.problem !== '') return reader.problem;
  const { name, versions, platform, inputs, outputs } = draft;
  return { name, versions, platform, inputs, outputs };
}

class MetadataDraft {
  seen = 0;
  name = '';
  platform = '';
  readonly versions: string[] = [];
  readonly inputs: TensorSpec[] = [];
  readonly outputs: TensorSpec[] = [];
  readonly properties: ParameterMap = new Map();
}

function readMetadataField(reader: FieldReader, draft: MetadataDraft): void {
  switch (reader.field) {
    case 1:
      draft.seen = reader.once(draft.seen);
      draft.name = reader.text(MAX_TEXT_BYTES);
      break;
    case 2:
      readListed(reader, draft.versions);
      break;
    case 3:
      draft.seen = reader.once(draft.seen);
      draft.platform = reader.text(MAX_TEXT_BYTES);
      break;
    case 4:
      readSpec(reader, draft.inputs);
      break;
    case 5:
      readSpec(reader, draft.outputs);
      break;
    case 6:
      readProperty(reader, draft.properties);
      break;
    default:
      reader.skip();
  }
}

function readListed(reader: FieldReader, list: string[]): void {
  if (hasRoom(reader, list.length)) list.push(reader.text(MAX_TEXT_BYTES));
}

function readSpec(reader: FieldReader, specs: TensorSpec[]): void {
  if (!hasRoom(reader, specs.length)) return;
  const { name, datatype, shape } = readTensorSpec(reader);
  specs.push({ name, datatype, shape });
}

function hasRoom(reader: FieldReader, count: number): boolean {
  return count < MAX_LISTED || reader.fail(`field ${reader.field} comes more than ${MAX_LISTED} times`);
}
