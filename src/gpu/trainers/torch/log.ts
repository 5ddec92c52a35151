/** What a process says on its standard error: a file up to a bound, and its last lines for a fault's message. Knows no process. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export interface ProcessLog {
  add(text: string): void;
  /** The last lines, oldest first; empty where nothing was said. */
  tail(): string;
}

const TAIL_CHARACTERS = 4000;

/** `file` absent: only the tail is kept. The file begins anew; what exceeds `bound` characters is left out of it, and the file says so. */
export function processLog(file: string | undefined, bound = 8 * 1024 * 1024): ProcessLog {
  let written = 0;
  let last = '';
  if (file !== undefined) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, '');
  }
  return {
    add: (text) => {
      last = (last + text).slice(-TAIL_CHARACTERS);
      if (file === undefined || written >= bound) return;
      const part = text.slice(0, bound - written);
      written += part.length;
      appendFileSync(file, written >= bound ? `${part}\n… more was said; this log ends after ${bound} characters\n` : part);
    },
    tail: () => last.trim().split('\n').slice(-12).join('\n'),
  };
}
