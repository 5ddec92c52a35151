/** Bad input, as a table: whatever is wrong, the message says what and the exit code whose doing it is, and nothing that was recorded is lost. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { framesFrom } from '../src/record/reader.ts';
import { entry, type Said, troupe } from './support/command-line.ts';
import { untrainedModel } from './support/model-dir.ts';

// A process takes a quarter of a second to start; on a machine that others use, much longer.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const root = mkdtempSync(join(tmpdir(), 'troupe-bad-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const config = `name: t
steps: 3
policy: {model: ${join(root, 'model')}}
engine: {kind: scripted, deterministic: true}
trainer: {kind: scripted}
rollout: {tasks: 2, group: 2, workers: 1}
eval: {at: []}
`;

beforeAll(() => {
  untrainedModel(join(root, 'model'));
  writeFileSync(join(root, 't.yaml'), config);
  const done = troupe(['t.yaml', '--quiet'], { cwd: root });
  expect(done).toMatchObject({ code: 0, err: '' });
});

/** An own folder with the config and a copy of the finished run. */
function freshDir(): string {
  const dir = mkdtempSync(join(root, 'in-'));
  cpSync(join(root, 't.yaml'), join(dir, 't.yaml'));
  cpSync(join(root, 'runs'), join(dir, 'runs'), { recursive: true });
  return dir;
}

const journal = (dir: string): string => join(dir, 'runs', 't', 'journal', '000001.journal');
const framesIn = (dir: string): number => [...framesFrom(join(dir, 'runs', 't', 'journal'))].length;

interface Row {
  readonly name: string;
  readonly before?: (dir: string) => void;
  readonly args: readonly string[];
  readonly code: number;
  /** All of them in stderr. */
  readonly says: readonly (string | RegExp)[];
}

const bomb = `l0: &l0 ha\n${Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array.from({ length: 9 }, () => `*l${i}`).join(',')}]`).join('\n')}\n`;
const write = (name: string, text: string | Uint8Array) => (dir: string) => writeFileSync(join(dir, name), text);

const rows: readonly Row[] = [
  {
    name: 'an unknown key',
    before: write('x.yaml', 'rollout:\n  groop: 4\n'),
    args: ['x.yaml'],
    code: 2,
    says: ['x.yaml:2:3: unknown key "rollout.groop"; did you mean "rollout.group"?'],
  },
  {
    name: 'a wrong type',
    before: write('x.yaml', 'steps: many\n'),
    args: ['x.yaml'],
    code: 2,
    says: ['x.yaml:1:1: steps: "many" is not allowed; expected a whole number of at least 0'],
  },
  { name: 'a negative group', args: ['t.yaml', '--set', 'rollout.group=-8'], code: 2, says: ['--set rollout.group=-8', 'from 2 to 1024'] },
  {
    name: 'a rank that no server has kernels for',
    args: ['t.yaml', '--set', 'trainer.lora.rank=100'],
    code: 2,
    says: ['100 is not allowed; expected one of 1, 8, 16, 32, 64, 128'],
  },
  {
    name: 'adapters of a trainer that makes none',
    args: ['t.yaml', '--set', 'engine.kind=fake', '--set', 'trainer.adapter=lora'],
    code: 2,
    says: ['the scripted trainer makes no adapters; use none'],
  },
  {
    name: 'a context that the model does not hold',
    args: ['t.yaml', '--set', 'engine.kind=fake', '--set', 'rollout.contextLength=100000'],
    code: 2,
    says: ['rollout.contextLength is 100000, and the model in', 'lower it'],
  },
  { name: 'an assignment without a value', args: ['t.yaml', '--set', 'steps'], code: 2, says: ['expected key=value'] },
  { name: 'a config that is not there', args: ['absent.yaml'], code: 2, says: ['no config absent.yaml'] },
  { name: 'a command misspelt', args: ['resme', 't'], code: 2, says: ['did you mean "resume"?'] },
  { name: 'an unknown flag', args: ['t.yaml', '--stepps', '3'], code: 2, says: ["unknown option '--stepps'"] },
  { name: 'a folder for a config', args: ['run', '.'], code: 2, says: [/cannot read \.: EISDIR/] },
  { name: 'unreadable YAML', before: write('x.yaml', 'steps: [1, 2\nname: x\n'), args: ['x.yaml'], code: 2, says: [/x\.yaml:2:\d+: /] },
  {
    name: 'bytes that are no text',
    before: write('x.yaml', Uint8Array.of(0xff, 0xfe, 0x80)),
    args: ['x.yaml'],
    code: 2,
    says: ['cannot read x.yaml'],
  },
  { name: 'a YAML bomb', before: write('x.yaml', bomb), args: ['x.yaml'], code: 2, says: [/alias/i] },
  {
    name: 'a file of 6 MB',
    before: write('x.yaml', new Uint8Array(6 * 1024 * 1024).fill(35)),
    args: ['x.yaml'],
    code: 2,
    says: ['larger than 5 MB'],
  },
  {
    name: 'a tag that makes code',
    before: write('x.yaml', 'steps: !!js/function "x"\n'),
    args: ['x.yaml'],
    code: 2,
    says: [/x\.yaml:1:8: /],
  },
  {
    name: 'a model that is not there',
    args: ['t.yaml', '--set', 'policy.model=nowhere'],
    code: 2,
    says: ['policy.model: no model in', 'imitate'],
  },
  {
    name: 'a model that is none',
    before: write('config.json', '{}'),
    args: ['t.yaml', '--set', 'policy.model=.'],
    code: 2,
    says: ['config.json'],
  },
  { name: 'a tool list that is not there', args: ['t.yaml', '--set', 'tools=nowhere.json'], code: 2, says: ['nowhere.json'] },
  {
    name: 'a tool list that is no JSON',
    before: write('x.json', '{'),
    args: ['tools', 'check', 'x.json'],
    code: 2,
    says: ['x.json is no JSON'],
  },
  {
    name: 'something of a later version',
    args: ['t.yaml', '--set', 'trainer.kind=tinker'],
    code: 2,
    says: ['trainer.kind: tinker is not part of this version'],
  },
  {
    name: 'a run folder under a file',
    before: write('file', ''),
    args: ['t.yaml', '--set', 'record.dir=file/runs'],
    code: 3,
    says: ['a part of the path is a file', 'record.dir'],
  },
  { name: 'a run that is not there', args: ['resume', 'absent'], code: 2, says: ['no run "absent"', 'in '] },
  { name: 'a key that makes a resumed run another run', args: ['resume', 't', '--set', 'seed=4'], code: 2, says: ['can change only'] },
  {
    name: 'a server that is not there',
    args: ['t.yaml', '--set', 'name=away', '--set', 'engine.kind=vllm', '--set', 'engine.vllm.servers=["http://127.0.0.1:9/"]'],
    code: 4,
    says: ['engine.vllm.servers: nothing answers at http://127.0.0.1:9/', 'ECONNREFUSED', '--dry-run prints the command'],
  },
  {
    name: 'a server named twice',
    args: ['t.yaml', '--set', 'engine.vllm.servers=["http://a:1","http://a:1"]'],
    code: 2,
    says: ['engine.vllm.servers: http://a:1 is named twice'],
  },
  { name: 'an episode that is not there', args: ['show', 's00007.t000.e00'], code: 2, says: ['the last step with groups is s00003'] },
  { name: 'an export over something', args: ['export', 'model', 't', '--to', 'runs'], code: 2, says: ['runs exists'] },
  {
    name: 'a journal damaged in the middle',
    before: (dir) => flip(journal(dir), 0.5),
    args: ['resume', 't'],
    code: 3,
    says: [/000001\.journal is damaged at byte \d+/],
  },
  {
    name: 'a journal damaged in the middle, shown',
    before: (dir) => flip(journal(dir), 0.5),
    args: ['show'],
    code: 3,
    says: [/damaged at byte \d+/],
  },
];

function flip(file: string, at: number): void {
  const bytes = readFileSync(file);
  const index = Math.floor(bytes.length * at);
  bytes[index] = (bytes[index] as number) ^ 0x10;
  writeFileSync(file, bytes);
}

describe('bad input', () => {
  test.each(rows)('$name: exit $code and a message', ({ before, args, code, says }) => {
    const cwd = freshDir();
    before?.(cwd);
    const journals = snapshot(cwd);
    const said = troupe(args, { cwd });
    for (const part of says) expect(said.err).toMatch(part instanceof RegExp ? part : new RegExp(escaped(part)));
    expect(said.code).toBe(code);
    expect(said.err).not.toMatch(/\n\s+at /);
    expect(snapshot(cwd)).toEqual(journals);
  });
});

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
const snapshot = (dir: string): Buffer => readFileSync(journal(dir));

describe('a damaged journal', () => {
  test('whose tail is torn is repaired, and the run ends as it did', () => {
    const cwd = freshDir();
    const episodes = readFileSync(join(cwd, 'runs/t/episodes.jsonl'));
    truncateSync(journal(cwd), statSync(journal(cwd)).size - 3);
    expect(troupe(['resume', 't', '--quiet'], { cwd })).toMatchObject({ code: 0, err: '' });
    expect(readFileSync(join(cwd, 'runs/t/episodes.jsonl'))).toEqual(episodes);
  });

  test('is cut only by repair --yes, keeps what was cut, and the run ends as it did', () => {
    const cwd = freshDir();
    const episodes = readFileSync(join(cwd, 'runs/t/episodes.jsonl'));
    flip(journal(cwd), 0.6);
    const before = readFileSync(journal(cwd)).length;
    expect(troupe(['repair', 't'], { cwd })).toMatchObject({ code: 3, out: expect.stringMatching(/damaged at byte/) as string });
    expect(troupe(['repair', 't', '--yes'], { cwd }).code).toBe(0);
    const [cut] = readdirSync(join(cwd, 'runs/t/journal')).filter((name) => name.endsWith('.cut'));
    expect(statSync(journal(cwd)).size + statSync(join(cwd, 'runs/t/journal', cut as string)).size).toBe(before);
    expect(troupe(['resume', 't', '--quiet'], { cwd })).toMatchObject({ code: 0, err: '' });
    expect(readFileSync(join(cwd, 'runs/t/episodes.jsonl'))).toEqual(episodes);
  });
});

describe('a full disk', () => {
  test('stops the run with a message and a whole record; with space again it ends as it would have', () => {
    const cwd = freshDir();
    const episodes = readFileSync(join(cwd, 'runs/t/episodes.jsonl'));
    rmSync(join(cwd, 'runs'), { recursive: true });
    // 1024-byte blocks that any one file may have; a write beyond fails as on a full disk.
    const { status, stderr } = spawnSync('bash', ['-c', `ulimit -f 8; exec "${process.execPath}" "${entry}" t.yaml --quiet`], {
      cwd,
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([3, expect.stringMatching(/cannot write .*000001\.journal: .*whole up to byte \d+.*\n.*resume/)]);
    expect(troupe(['repair', 't'], { cwd }).out).toMatch(/^sound: \d+ frames/);
    expect(framesIn(cwd)).toBeGreaterThan(3);
    expect(troupe(['resume', 't', '--quiet'], { cwd })).toMatchObject({ code: 0, err: '' });
    expect(readFileSync(join(cwd, 'runs/t/episodes.jsonl'))).toEqual(episodes);
  });
});

/** A long run of its own, under way once its second step is told. */
async function underWay(cwd: string): Promise<{ child: ChildProcess; ended: Promise<{ code: number | null; said: string }> }> {
  const child = spawn(process.execPath, [entry, 't.yaml', '--set', 'steps=100000', '--set', 'name=long'], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  let said = '';
  const ended = once(child, 'exit').then(([code]) => ({ code: code as number | null, said }));
  await new Promise<void>((resolve) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('step 2/')) resolve();
    });
    child.once('exit', () => resolve());
  });
  return { child, ended };
}

describe('a run under way', () => {
  test('refuses a second writer, naming the first', async () => {
    const cwd = freshDir();
    const { child, ended } = await underWay(cwd);
    const second: Said = troupe(['resume', 'long'], { cwd });
    child.kill('SIGKILL');
    await ended;
    expect(second).toMatchObject({ code: 3, err: expect.stringContaining(`being written by process ${child.pid}`) as string });
    expect(second.err).not.toContain('go on with');
  });

  test('ends with a checkpoint and 130 on the first Ctrl-C, and goes on after', async () => {
    const cwd = freshDir();
    const { child, ended } = await underWay(cwd);
    const from = performance.now();
    child.kill('SIGINT');
    const { code, said } = await ended;
    expect(code).toBe(130);
    expect(performance.now() - from).toBeLessThan(20_000);
    expect(said).toContain('once more to stop at once');
    const { steps } = JSON.parse(readFileSync(join(cwd, 'runs/long/summary.json'), 'utf8')) as { steps: number };
    expect(existsSync(join(cwd, 'runs/long/checkpoints', `s${String(steps).padStart(5, '0')}`, 'manifest.json'))).toBe(true);
    expect(troupe(['resume', 'long', '--quiet', '--set', `steps=${steps + 1}`], { cwd }).code).toBe(0);
  });

  test('is gone within a second of the second Ctrl-C, its record whole', { retry: 2 }, async () => {
    const cwd = freshDir();
    const { child, ended } = await underWay(cwd);
    child.kill('SIGINT');
    const from = performance.now();
    child.kill('SIGTERM');
    const { code } = await ended;
    expect(code).toBe(130);
    expect(performance.now() - from).toBeLessThan(1000);
    expect(troupe(['repair', 'long'], { cwd }).out).toMatch(/^sound/);
  });
});
