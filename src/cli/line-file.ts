/** A file of lines that appears whole or not at all: written beside its place, moved there when kept. Knows no line. */
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { boundarySync, RecordFault } from '../errors.ts';

export interface LineFile {
  /** `text` with its newline. */
  write(text: string): void;
  /** Moves it to its place. */
  keep(): void;
  /** Leaves nothing behind; after `keep` it does nothing. */
  drop(): void;
}

const batch = 1024 * 1024;

/** Throws RecordFault where the file cannot be written. */
export function lineFile(path: string): LineFile {
  const beside = `${path}.${process.pid}.part`;
  const guarded = <T>(act: () => T): T => boundarySync(RecordFault, `cannot write ${path}`, act);
  const file = guarded(() => openSync(beside, 'w'));
  let waiting: string[] = [];
  let length = 0;
  let open = true;
  const flush = (): void => {
    let rest = Buffer.from(waiting.join(''));
    while (rest.length > 0) rest = rest.subarray(writeSync(file, rest));
    waiting = [];
    length = 0;
  };
  const close = (): void => {
    open = false;
    closeSync(file);
  };
  return {
    write: (text) => {
      waiting.push(text);
      length += text.length;
      if (length > batch) guarded(flush);
    },
    keep: () =>
      guarded(() => {
        flush();
        close();
        renameSync(beside, path);
      }),
    drop: () => {
      if (!open) return;
      close();
      rmSync(beside, { force: true });
    },
  };
}
