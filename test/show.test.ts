/** `show` prints any episode that was sealed, and nothing a terminal could obey. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Turn } from '../src/protocol/turn.ts';
import { troupe } from './support/command-line.ts';
import { sampleRun } from './support/sample-run.ts';

// A process takes a quarter of a second to start; on a machine that others use, much longer.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const root = mkdtempSync(join(tmpdir(), 'troupe-show-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const hostile = '\u001b]52;c;ZXZpbA==\u0007\u001b[2Jgone\u202e';
const hostileTurns: Turn[] = [
  { role: 'user', text: hostile },
  {
    role: 'agent',
    thought: hostile,
    text: hostile,
    calls: [{ name: 'x', arguments: { a: hostile } }],
    malformed: { raw: hostile, reason: 'unreadable' },
  },
  { role: 'tool', call: { name: hostile, arguments: {} }, status: 'unknownTool', result: { [hostile]: hostile }, patch: [] },
];

beforeAll(async () => {
  await sampleRun(root, { name: 'good' });
  await sampleRun(root, { name: 'bad', turns: hostileTurns });
});

describe('show', () => {
  test('prints who said what, the calls, their results, the verdict, the reward and the tokens', () => {
    const { code, out } = troupe(['show', 's00002.t001.e00', '--run', 'good'], { cwd: root });
    expect(code).toBe(0);
    for (const part of [
      'find_book(title, year?)',
      'wants: find the book emma',
      'calls find_book(title: "emma")',
      'find_book: ok {"shelf":7}',
      'shelf 7',
      '✓ intent',
      'reward +1',
      'tokens 3 read, 2 sampled by version 0',
    ])
      expect(out).toContain(part);
  });

  test('lists a step’s episodes, the last step’s where none is named, and a group’s', () => {
    const lines = (...args: string[]): string[] =>
      troupe(['show', ...args, '--run', 'good'], { cwd: root })
        .out.split('\n')
        .filter((line) => line.startsWith('s0'));
    expect(lines()).toHaveLength(6);
    expect(lines()[0]).toMatch(/^s00002\.t000\.e00/);
    expect(lines('s00001')[0]).toMatch(/^s00001\.t000\.e00/);
    expect(lines('s00001.t001')).toHaveLength(3);
  });

  test('says why a member has no episode', () => {
    expect(troupe(['show', 's00001.t000.e02', '--run', 'good'], { cwd: root })).toMatchObject({
      code: 2,
      err: expect.stringContaining('EngineFault: no answer') as string,
    });
  });

  test('says what there is when a name is not', () => {
    expect(troupe(['show', 's00009', '--run', 'good'], { cwd: root }).err).toContain('the last step with groups is s00002');
    expect(troupe(['show', '--run', 'absent'], { cwd: root }).err).toContain('no run "absent"');
  });

  test('lists every token with its log-prob and where it came from', () => {
    const { out } = troupe(['show', 's00001.t000.e00', '--run', 'good', '--tokens'], { cwd: root });
    expect(out).toMatch(/at +id/);
    expect(out).toMatch(/-0\.5000 +sampled/);
    expect(out).toMatch(/-0\.2500 +sampled, stop/);
  });

  test('lists the episodes of the whole run that pass a filter, by rows and by what was said', () => {
    const passing = (filter: string, ...args: string[]): unknown[] =>
      troupe(['show', ...args, '--run', 'good', '--json', '--filter', filter], { cwd: root })
        .out.split('\n')
        .filter(Boolean)
        .map((line) => (JSON.parse(line) as { group: string; member: number }).group + (JSON.parse(line) as { member: number }).member);
    expect(passing('reward<0 && tool=="find_book" && text~"SHELF 7"')).toEqual([
      's00001.t0001',
      's00001.t0011',
      's00002.t0001',
      's00002.t0011',
    ]);
    expect(passing('episode==null', 's00002')).toEqual(['s00002.t0002', 's00002.t0012']);
    expect(passing('text~"no such words"')).toEqual([]);
  });

  test('shows where a filter is wrong and what was meant', () => {
    const { code, err } = troupe(['show', '--run', 'good', '--filter', 'D>3 && rewrd<0'], { cwd: root });
    expect(code).toBe(2);
    expect(err).toContain('did you mean reward?\n  D>3 && rewrd<0\n         ^^^^^');
  });

  test('prints the same as JSON on request', () => {
    const { out } = troupe(['show', 's00001.t000.e01', '--run', 'good', '--json'], { cwd: root });
    expect(JSON.parse(out)).toMatchObject({ episode: 's00001.t000.e01', reward: -1, outcome: 'scored' });
  });

  test.each([
    ['an episode', 's00001.t000.e00'],
    ['a list', 's00001'],
  ])('%s holds no escape, whatever model and tools said', (_name, id) => {
    const { code, out } = troupe(['show', id, '--run', 'bad'], { cwd: root });
    expect(code).toBe(0);
    expect(out).not.toMatch(/[^\P{Cc}\t\n]|\u202e/u);
  });
});
