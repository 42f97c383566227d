import { gunzip, inflate } from 'node:zlib';

/** Unpacks the body of an answer on the thread pool. We ask for no coding; some servers and proxies pack all the same. */

export type Coding = 'identity' | 'gzip' | 'deflate' | 'other';

export interface UnpackSink {
  onUnpacked(body: Buffer): void;
  onSpoiled(tooLarge: boolean, detail: string): void;
}

/** What a Content-Encoding says; several codings one upon another are `other`. */
export function codingOf(field: string): Coding {
  if (field === '') return 'identity';
  const name = field.trim().toLowerCase();
  if (name === 'identity' || name === 'deflate') return name;
  return name === 'gzip' || name === 'x-gzip' ? 'gzip' : 'other';
}

export function unpack(body: Buffer, coding: 'gzip' | 'deflate', maxBytes: number, sink: UnpackSink): void {
  const engine = coding === 'gzip' ? gunzip : inflate;
  engine(body, { maxOutputLength: maxBytes }, (error, unpacked) => {
    if (error === null) sink.onUnpacked(unpacked);
    else sink.onSpoiled((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE', error.message);
  });
}
