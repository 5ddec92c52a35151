/** A server's output, kept: appended to a file of bounded size, its last lines at hand for a fault's message. Knows lines, not what they mean. */
import { closeSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export interface ServerLog {
  write(chunk: Buffer): void;
  /** The last lines written, newest last. */
  readonly tail: readonly string[];
  close(): void;
}

const TAIL = 20;
/** Characters of a line that are kept in memory. */
const LINE = 2000;

/** At `bytes` the file becomes `<file>.1`, over the one before: at most twice as much lies on the disk. A full disk loses lines, never the run. */
export function openServerLog(file: string, bytes: number, onLine?: (line: string) => void): ServerLog {
  let out = open(file);
  let size = sizeOf(file);
  let rest = '';
  const tail: string[] = [];
  const take = (line: string): void => {
    if (line.trim() === '') return;
    tail.push(line.slice(0, LINE));
    if (tail.length > TAIL) tail.shift();
    onLine?.(line.slice(0, LINE));
  };
  const rotate = (): void => {
    if (out !== undefined) closeSync(out);
    lossy(() => renameSync(file, `${file}.1`));
    out = open(file);
    size = 0;
  };
  return {
    tail,
    write: (chunk) => {
      if (size > 0 && size + chunk.length > bytes) rotate();
      size += chunk.length;
      if (out !== undefined) {
        const to = out;
        lossy(() => writeSync(to, chunk));
      }
      const lines = (rest + chunk.toString('utf8')).split(/\r?\n/);
      rest = (lines.pop() ?? '').slice(0, LINE);
      for (const line of lines) take(line);
    },
    close: () => {
      take(rest);
      rest = '';
      if (out !== undefined) closeSync(out);
      out = undefined;
    },
  };
}

function open(file: string): number | undefined {
  return lossy(() => {
    mkdirSync(dirname(file), { recursive: true });
    return openSync(file, 'a');
  });
}

const sizeOf = (file: string): number => lossy(() => statSync(file).size) ?? 0;

function lossy<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
