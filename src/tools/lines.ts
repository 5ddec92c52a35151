/** The common format of tools: one ToolSpec a line, as JSON (JSONL). Knows no other format; a file of any size is read a piece at a time. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { boundarySync, ConfigFault, TroupeFault } from '../errors.ts';
import type { JsonValue } from '../protocol/json.ts';
import { ToolSpec } from '../protocol/tool.ts';
import { checkShape, sayable } from './shape.ts';
import type { Rejection } from './sieve.ts';

const longestLine = 4 * 1024 * 1024;
const pieceBytes = 256 * 1024;

export const isLinesFile = (path: string): boolean => /\.(jsonl|ndjson)$/i.test(path);

/** Parameters keep the order of their source: it is part of what a model reads. */
export const toolLine = ({ name, description, parameters, returns, effects, category, ...rest }: ToolSpec): string =>
  `${JSON.stringify({ name, description, parameters, returns, effects, category, ...rest })}\n`;

/** Each line a tool, or why it is none; `file:line` names it. Empty lines are passed over. Throws ConfigFault for a file that cannot be read. */
export function* toolsOfFile(path: string): Generator<ToolSpec | Rejection> {
  yield* toolsOfLines(linesOf(path), basename(path));
}

export function* toolsOfLines(lines: Iterable<string>, file: string): Generator<ToolSpec | Rejection> {
  let number = 0;
  for (const line of lines) {
    number++;
    if (line.trim() !== '') yield toolOf(line, `${file}:${number}`);
  }
}

export const isRejection = (entry: ToolSpec | Rejection): entry is Rejection => 'reason' in entry;

function toolOf(line: string, place: string): ToolSpec | Rejection {
  const reject = (reason: string): Rejection => ({ name: place, source: place, reason });
  try {
    const value = JSON.parse(line) as JsonValue;
    checkShape(value, place, 'refused');
    const read = ToolSpec.safeParse(sayable(value, line));
    if (read.success) return read.data;
    const [issue] = read.error.issues;
    return reject(`no tool: ${issue === undefined ? '' : `${issue.path.join('.')} ${issue.message}`}`);
  } catch (error) {
    return reject(error instanceof TroupeFault ? error.message.replace(`${place}: `, '') : 'no JSON');
  }
}

function* linesOf(path: string): Generator<string> {
  const file = boundarySync(ConfigFault, `tools ${path}`, () => {
    if (!statSync(path).isFile()) throw new ConfigFault(`tools ${path}: no file`);
    return openSync(path, 'r');
  });
  try {
    const piece = Buffer.alloc(pieceBytes);
    const decoder = new TextDecoder();
    let rest = '';
    for (let read = readSync(file, piece); read > 0; read = readSync(file, piece)) {
      const parts = (rest + decoder.decode(piece.subarray(0, read), { stream: true })).split('\n');
      rest = parts.pop() ?? '';
      if (rest.length > longestLine) throw new ConfigFault(`tools ${path}: a line longer than ${longestLine / 1024 / 1024} MiB`);
      yield* parts;
    }
    yield rest;
  } finally {
    closeSync(file);
  }
}
