import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** Files whose content is on the disk when a call returns. For their owner alone. */

/** Adds to the end; when that fails, the file is as it was before. Throws what has failed. */
export function appendDurably(file: string, bytes: Buffer): void {
  makeFolder(dirname(file));
  const fd = openSync(file, 'a', 0o600);
  try {
    const { size } = fstatSync(fd);
    try {
      for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
      fsyncSync(fd);
      // A file that is new exists for sure when its folder is on the disk too.
      if (size === 0) syncFolder(dirname(file));
    } catch (error) {
      // A full disk may have taken a part: the next line must not be glued to it.
      ftruncateSync(fd, size);
      throw error;
    }
  } finally {
    closeSync(fd);
  }
}

/** Cuts a file to its first bytes. */
export function cutDurably(file: string, sizeBytes: number): void {
  const fd = openSync(file, 'r+');
  try {
    ftruncateSync(fd, sizeBytes);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Written beside and moved over: a crash leaves the old content or the new one, never half of one. */
export function replaceDurably(file: string, bytes: Buffer): void {
  writeFileSync(`${file}.new`, bytes, { mode: 0o600, flush: true });
  renameSync(`${file}.new`, file);
  syncFolder(dirname(file));
}

/** Moves it out of the way. */
export function moveDurably(from: string, to: string): void {
  makeFolder(dirname(to));
  renameSync(from, to);
  syncFolder(dirname(from));
}

const makeFolder = (folder: string): void => void mkdirSync(folder, { recursive: true, mode: 0o700 });

/** What was made or moved in it is there for sure. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
