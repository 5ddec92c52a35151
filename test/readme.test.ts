/**
 * A newcomer pastes what our documents say: every command in a ```sh block is run here, in the order of the page, in one fresh folder; npm's are looked up.
 * A command marked "# needs …" wants what not every machine has: it is not run, but its config must be one that a dry run takes, and its flags known.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { entry } from './support/command-line.ts';
import { untrainedModel } from './support/model-dir.ts';

const readme = readFileSync('README.md', 'utf8');
const blocksOf = (text: string, language: string): string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, body]) => body as string);
interface Shown {
  readonly command: string;
  /** What it says it needs; null where it needs nothing. */
  readonly needs: string | null;
}
const shownIn = (text: string): Shown[] =>
  blocksOf(text, 'sh').flatMap((block) =>
    block
      .split(/\n| && /)
      .map((line) => ({ command: line.replace(/\s+#.*$/, '').trim(), needs: /\s# needs (.+)$/.exec(line)?.[1] ?? null }))
      .filter(({ command }) => command !== '' && !command.startsWith('#')),
  );
const commandsOf = (text: string): string[] => shownIn(text).flatMap(({ command, needs }) => (needs === null ? [command] : []));
/** What a command may say that it needs: another word is a mistake, or a new thing to be thought about. */
const needed = ['Python', 'npm run python', 'GPU', 'the servers', 'the machine', 'the disk'];

/** What a command is given besides, so that it is quick; everything else about it is as written. */
const shortened: readonly { readonly command: RegExp; readonly add: readonly string[]; readonly reason: string }[] = [
  {
    command: /^configs\/(?!.*--dry-run)/,
    add: ['steps=1', 'rollout.tasks=2', 'rollout.group=2', 'rollout.maxTokens=8', 'eval.levels=[5]', 'eval.tasks=2'],
    reason: 'minutes of training: the quickstart stage runs it in full; an untrained model speaks until it is cut',
  },
  {
    command: /^eval /,
    add: ['rollout.maxTokens=8', 'eval.levels=[5]', 'eval.tasks=2'],
    reason: 'a thousand tasks tell no more than two whether the line works',
  },
];

const home = mkdtempSync(join(tmpdir(), 'troupe-readme-'));
beforeAll(() => {
  for (const name of ['dist', 'configs']) symlinkSync(resolve(name), join(home, name));
  mkdirSync(join(home, 'models'));
  // In place of the shipped model: what it has learnt is the quickstart stage's matter, and this one says less.
  untrainedModel(join(home, 'models/tiny-base'));
  const [tools] = blocksOf(readme, 'json');
  writeFileSync(join(home, 'my-tools.json'), tools as string);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** As a user does, in `home`; a slow machine gets a minute. */
function troupe(args: readonly string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [entry, ...args], { cwd: home, encoding: 'utf8', timeout: 60_000 });
  return { code: status, out: stdout, err: stderr };
}

function prove(command: string): void {
  const [program = '', ...words] = command.split(/\s+/);
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  switch (program) {
    case 'npm': {
      const [verb, script = ''] = words;
      const needs = { install: ['prepare'], 'install-test': ['prepare', 'test'], test: ['test'], start: ['start'], run: [script] }[
        verb ?? ''
      ];
      expect(needs, `npm ${verb} is not known to this test`).toBeDefined();
      expect(Object.keys(scripts)).toEqual(expect.arrayContaining(needs as string[]));
      return;
    }
    case 'node': {
      expect(words[0]).toBe('dist/run.js');
      const args = words.slice(1);
      const add = shortened.filter(({ command: those }) => those.test(args.join(' '))).flatMap((one) => one.add);
      const said = troupe([...args, ...add.flatMap((each) => ['--set', each])]);
      expect({ command, code: said.code, err: said.code === 0 ? '' : said.err }).toEqual({ command, code: 0, err: '' });
      // Its result is on stdout, or in the file it was told to write.
      const file = /--out (\S+)/.exec(command)?.[1];
      expect(file === undefined ? said.out : readFileSync(join(home, file), 'utf8')).not.toBe('');
      return;
    }
    default:
      throw new Error(`this test knows no way to prove: ${command}`);
  }
}

/** What can be known of a command without what it needs. */
function proveForm(command: string): void {
  const [program = '', ...words] = command.split(/\s+/);
  switch (program) {
    case 'npm':
      return prove(command);
    case 'node': {
      const args = words.slice(1).filter((word) => word !== 'doctor');
      const said = troupe([...args, '--dry-run']);
      expect({ command, code: said.code, err: said.err }).toEqual({ command, code: 0, err: '' });
      // Nobody is told to bring a GPU to what runs without.
      expect(said.out).toMatch(/^# (?:model|fits|does not fit|server)/m);
      return;
    }
    case 'hf':
      expect(command).toMatch(/^hf download \w[\w.-]*\/[\w.-]+$/);
      return;
    case 'ssh':
      expect(command).toMatch(/^ssh -N -L \d+:127\.0\.0\.1:\d+ \S+$/);
      return;
    default:
      throw new Error(`this test knows no way to look at: ${command}`);
  }
}

const commands = commandsOf(readme);
const demanding = shownIn(readme).filter(({ needs }) => needs !== null);

test('there are commands to prove, the first of them the one that trains', () => {
  expect(commands.slice(0, 2)).toEqual(['npm install', 'node dist/run.js configs/quickstart.yaml']);
});

describe('in the README,', () => {
  test.each(commands)('%s does what a newcomer expects', prove, 70_000);
});

describe('marked as needing something,', () => {
  test.each(demanding)('$command has the form it should have', ({ command }) => proveForm(command), 70_000);

  test.each(demanding)('$command needs what can be had: $needs', ({ needs }) => {
    expect(needed.some((each) => (needs as string).includes(each))).toBe(true);
  });

  test('are the runs on vLLM and PyTorch, each preceded by one that needs nothing', () => {
    const configs = ['configs/vllm-tiny.yaml', 'configs/qwen3-8b-1gpu.yaml', 'configs/vllm-fleet.yaml'];
    for (const config of configs) {
      expect(demanding.map(({ command }) => command)).toContain(`node dist/run.js ${config}`);
      expect(commands).toContain(`node dist/run.js ${config} --dry-run`);
    }
  });
});

test('an unknown command would be reported', () => {
  expect(() => proveForm('curl example.org')).toThrow('no way to look at');
  expect(() => proveForm('hf download --all')).toThrow();
  expect(() => prove('pip install troupe')).toThrow('no way to prove');
  expect(() => prove('npm run trian')).toThrow();
  expect(() => prove('npm ci')).toThrow();
});

test('the table of commands has every command there is, and no other', () => {
  const listed = [...readme.slice(readme.indexOf('## Commands')).matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell]) =>
    [...(cell as string).matchAll(/`([a-z]+)/g)].map(([, name]) => name as string),
  );
  const help = troupe(['--help']).out;
  const known = [...help.slice(help.indexOf('Commands:')).matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name as string);
  expect([...new Set(listed)].toSorted()).toEqual(known.filter((name) => name !== 'help').toSorted());
});

test('the tool list it shows can be used whole', () => {
  const said = troupe(['tools', 'check', 'my-tools.json', '--json']);
  expect(JSON.parse(said.out)).toMatchObject({ usable: 2, rejected: 0 });
});

describe('the tree', () => {
  /** Paths as indented in the block, folders with a slash. */
  const paths: string[] = [];
  const above: string[] = [];
  for (const line of (blocksOf(readme, 'tree')[0] ?? '').trimEnd().split('\n')) {
    const [, indent = '', name = ''] = /^( *)(\S+) {1,}\S/.exec(line) ?? [];
    const depth = indent.length / 2;
    above.length = depth;
    above[depth] = name;
    paths.push(above.join(''));
  }

  test('names only what exists, and says something of each', () => {
    expect(paths.length).toBeGreaterThan(30);
    expect(paths.filter((path) => !existsSync(path))).toEqual([]);
  });

  test('has every file and folder at the top', () => {
    const tracked = execFileSync('git', ['ls-files'], { encoding: 'utf8' }).trim().split('\n');
    const top = new Set(tracked.map((file) => (file.includes('/') ? `${file.split('/')[0]}/` : file)));
    expect(paths.filter((path) => /^[^/]+\/?$/.test(path)).toSorted()).toEqual([...top].toSorted());
  });

  test('has every file and folder of src', () => {
    const inSrc = readdirSync('src', { withFileTypes: true }).map((entry) => `src/${entry.name}${entry.isDirectory() ? '/' : ''}`);
    expect(paths.filter((path) => /^src\/[^/]+\/?$/.test(path)).toSorted()).toEqual(inSrc.toSorted());
  });
});
