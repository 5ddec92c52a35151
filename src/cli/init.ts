/** `init [file]`: a config to start from: every key with its meaning, at its default. */
import { existsSync, writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { stringify } from 'yaml';
import { boundarySync, ConfigFault, RecordFault } from '../errors.ts';
import { carryOut, type Flags, withOutput } from './invocation.ts';
import { program } from './outcome.ts';
import { allKeys, entryOf } from './settings/manual.ts';

export const initCommand = (): Command =>
  withOutput(new Command('init').description('write a commented config to start from').argument('[file]', 'where', 'troupe.yaml')).action(
    (file: string, flags: Flags) =>
      carryOut(flags, (terminal) => {
        if (existsSync(file)) throw new ConfigFault(`${file} exists; name another file`);
        boundarySync(RecordFault, `cannot write ${file}`, () => {
          writeFileSync(file, commentedConfig());
        });
        terminal.out(
          flags.json
            ? JSON.stringify({ v: 1, file })
            : `wrote ${file}\nsee what it does: ${program} ${file} --dry-run\nstart it:         ${program} ${file}`,
        );
        return 0;
      }),
  );

/** YAML whose every key stands at its default; keys without one are comments. */
export function commentedConfig(): string {
  const lines = [
    '# An experiment. Every key may be left out; here each stands at its default. Sources of the defaults: config explain <key>.',
  ];
  for (const key of allKeys()) {
    const entry = entryOf(key);
    if (entry === null) continue;
    const depth = key.split('.').length - 1;
    const indent = '  '.repeat(depth);
    const name = key.split('.').at(-1) ?? key;
    if (depth === 0) lines.push('');
    lines.push(`${indent}# ${entry.meaning}${entry.children.length > 0 ? '' : ` (${entry.allowed})`}`);
    if (entry.children.length > 0 && hasDefaults(key))
      lines.push(`${indent}${name}:${entry.children.every((child) => !hasDefaults(`${key}.${child}`)) ? ' {}' : ''}`);
    else if (entry.fallback === undefined) lines.push(`${indent}# ${name}:`);
    else lines.push(`${indent}${name}: ${stringify(entry.fallback, { collectionStyle: 'flow', lineWidth: 0 }).trimEnd()}`);
  }
  return `${lines.join('\n')}\n`;
}

const hasDefaults = (key: string): boolean => entryOf(key)?.fallback !== undefined;
