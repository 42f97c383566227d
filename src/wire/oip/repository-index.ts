import { FieldReader, MAX_TEXT_BYTES } from './field-reader.ts';
import { finish, newWriter, openField, writeText } from './message-writer.ts';

export interface IndexQuestion {
  /** Empty for all repositories. */
  readonly repository: string;
  readonly readyOnly: boolean;
}

export interface IndexEntry {
  readonly name: string;
  readonly version: string;
  readonly state: string;
  readonly reason: string;
}

/** RepositoryIndexRequest, or why it is refused. */
export function decodeRepositoryIndexRequest(bytes: Uint8Array): IndexQuestion | string {
  const reader = new FieldReader(bytes, 'RepositoryIndexRequest');
  let seen = 0;
  let repository = '';
  let readyOnly = false;
  while (reader.next()) {
    if (reader.field === 1) {
      seen = reader.once(seen);
      repository = reader.text(MAX_TEXT_BYTES);
    } else if (reader.field === 2) {
      seen = reader.once(seen);
      readyOnly = reader.bool();
    } else reader.skip();
  }
  return reader.problem === '' ? { repository, readyOnly } : reader.problem;
}

/** RepositoryIndexResponse. */
export function encodeRepositoryIndex(entries: readonly IndexEntry[]): Buffer {
  const writer = newWriter();
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]!;
    openField(writer, 1);
    writeText(writer, 1, entry.name);
    writeText(writer, 2, entry.version);
    writeText(writer, 3, entry.state);
    writeText(writer, 4, entry.reason);
    writer.ldelim();
  }
  return finish(writer);
}
