/** `config print|schema|explain`: the experiment's schema and what a file resolves to. */
import { Command } from 'commander';
import { stringify } from 'yaml';
import { ConfigFault } from '../errors.ts';
import { carryOut, type Flags, withOutput } from './invocation.ts';
import { allKeys, entryOf, nearestKey, schemaOfConfig } from './settings/manual.ts';
import { readConfig } from './settings/read.ts';

export const configCommand = (): Command =>
  new Command('config').description('look at configs').addCommand(printCommand()).addCommand(schemaCommand()).addCommand(explainCommand());

const collect = (value: string, values: readonly string[]): string[] => [...values, value];

const printCommand = (): Command =>
  withOutput(
    new Command('print').description('the config with every default filled in').argument('[file]', 'a YAML file; left out: defaults'),
  )
    .option('--set <key=value>', 'change one key', collect, [])
    .action((file: string | undefined, flags: Flags) =>
      carryOut(flags, (terminal) => {
        const config = readConfig({ file, set: flags.set, env: process.env });
        terminal.out(flags.json ? JSON.stringify(config) : stringify(config).trimEnd());
        return 0;
      }),
    );

const schemaCommand = (): Command =>
  withOutput(new Command('schema').description('the JSON Schema of configs, for editors')).action((flags: Flags) =>
    carryOut(flags, (terminal) => {
      terminal.out(JSON.stringify(schemaOfConfig(), null, 1));
      return 0;
    }),
  );

const explainCommand = (): Command =>
  withOutput(
    new Command('explain')
      .description('what a key means, allows and defaults to')
      .argument('[key]', 'e.g. trainer.learningRate; left out: all keys'),
  ).action((key: string | undefined, flags: Flags) =>
    carryOut(flags, (terminal) => {
      const entries = key === undefined ? allKeys().flatMap((one) => entryOf(one) ?? []) : explained(key);
      if (flags.json) terminal.out(JSON.stringify(entries));
      else terminal.out(entries.map((entry) => explanation(entry, key === undefined)).join('\n'));
      return 0;
    }),
  );

type Entry = NonNullable<ReturnType<typeof entryOf>>;

function explained(key: string): Entry[] {
  const entry = entryOf(key);
  if (entry === null) {
    const meant = nearestKey(key);
    throw new ConfigFault(`no key "${key}"; ${meant === null ? 'config explain lists all' : `did you mean "${meant}"?`}`);
  }
  return [entry, ...entry.children.flatMap((child) => entryOf(`${key}.${child}`) ?? [])];
}

function explanation({ key, meaning, allowed, fallback, children }: Entry, short: boolean): string {
  const first = children.length > 0 ? key : `${key}: ${fallback === undefined ? '(none)' : JSON.stringify(fallback)}`;
  return short ? `${first}  # ${meaning}` : `${first}\n    ${meaning}${children.length > 0 ? '' : `\n    ${allowed}`}`;
}
