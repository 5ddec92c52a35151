/**
 * Where a command writes: results to stdout, everything about the way there to stderr. Knows whether it is a terminal and whether colour is wanted; not what is said.
 * Text that a model, a tool or a file wrote goes through printable.ts before it comes here.
 */
import { writeSync } from 'node:fs';

export interface Terminal {
  /** A result, for stdout. */
  out(text: string): void;
  /** For people, on stderr; silent with --quiet. */
  say(text: string): void;
  /** On stderr, also with --quiet. */
  warn(text: string): void;
  /** Whether stderr is a terminal that can be written over. */
  readonly live: boolean;
  /** Columns of it. */
  readonly width: number;
  /** Without a newline: for lines that are written over. */
  raw(text: string): void;
  paint(style: Style, text: string): string;
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
const codes: Record<Style, string> = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33', cyan: '36' };

/** NO_COLOR, FORCE_COLOR and TERM=dumb as everywhere (no-color.org). `results` tells which stream colours are for. */
export function terminalOf(options: { readonly quiet: boolean; readonly results: 'stdout' | 'stderr' }): Terminal {
  const { env } = process;
  const dumb = env['TERM'] === 'dumb';
  const stream = options.results === 'stdout' ? process.stdout : process.stderr;
  const coloured = (env['NO_COLOR'] ?? '') === '' && !dumb && ((env['FORCE_COLOR'] ?? '') !== '' || stream.isTTY);
  return {
    out: (text) => write(1, `${text}\n`),
    say: (text) => {
      if (!options.quiet) write(2, `${text}\n`);
    },
    warn: (text) => write(2, `${text}\n`),
    live: process.stderr.isTTY && !dumb && !options.quiet,
    width: process.stderr.isTTY ? process.stderr.columns : 80,
    raw: (text) => write(2, text),
    paint: (style, text) => (coloured ? `\u001b[${codes[style]}m${text}\u001b[0m` : text),
  };
}

/** At once and whole, so that nothing is lost when the process exits. A reader that went away (`| head`) is no failure. */
function write(fd: number, text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') return;
      if (code !== 'EAGAIN') throw error;
    }
  }
}
