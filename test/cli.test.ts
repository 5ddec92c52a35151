/** The command line as users meet it: built, in an empty folder, by its exit codes and words. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { failureText, exitCodeOf, faultOf } from '../src/cli/exit.ts';
import { heldOutTable } from '../src/cli/outcome.ts';
import { printable } from '../src/cli/printable.ts';
import { duration, progressView, sparkline, stepText } from '../src/cli/progress.ts';
import { byteSize, table } from '../src/cli/table.ts';
import type { Terminal } from '../src/cli/terminal.ts';
import {
  CancelledFault,
  ConfigFault,
  EngineFault,
  JudgeFault,
  RecordFault,
  SimulatorFault,
  TaskFault,
  ThreadFault,
  TrainerFault,
} from '../src/errors.ts';
import type { Progress } from '../src/protocol/progress.ts';
import { troupe } from './support/command-line.ts';
import { sampleRun } from './support/sample-run.ts';

// A process takes a quarter of a second to start; on a machine that others use, much longer.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const root = mkdtempSync(join(tmpdir(), 'troupe-cli-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const freshDir = (): string => mkdtempSync(join(root, 'in-'));

describe('the program', () => {
  test('says how it is used when asked nothing, and what its exit codes mean', () => {
    const { code, out } = troupe([], { cwd: root });
    expect(code).toBe(0);
    for (const word of ['run', 'resume', 'ls', 'show', 'eval', 'imitate', 'config', 'init', 'doctor', 'export', 'prune', 'Exit codes'])
      expect(out).toContain(word);
    expect(troupe(['--version'], { cwd: root }).out).toBe(
      `${(JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version}\n`,
    );
  });

  test('prints the resolved config and a plan with --dry-run, and starts nothing', () => {
    const cwd = freshDir();
    const { code, out } = troupe([resolve('configs/quickstart.yaml'), '--dry-run', '--set', 'steps=3', '--json'], { cwd });
    expect(code).toBe(0);
    const { config, plan } = JSON.parse(out) as { config: { steps: number; rollout: { group: number } }; plan: { episodes: number } };
    expect([config.steps, config.rollout.group, plan.episodes]).toEqual([3, 8, 3 * 16 * 8]);
    expect(readdirSync(cwd)).toEqual([]);
  });

  test('has an empty stderr where all is well, and prints results to stdout', () => {
    const { code, out, err } = troupe(['config', 'explain', 'trainer.learningRate'], { cwd: root });
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('1e-6: TRUSTEE');
  });

  test('survives a reader that goes away', () => {
    const { code } = troupe(['config', 'explain'], { cwd: root });
    expect(code).toBe(0);
  });
});

describe('init', () => {
  test('writes a config that can be run, and never over a file', () => {
    const cwd = freshDir();
    expect(troupe(['init'], { cwd }).code).toBe(0);
    expect(troupe(['troupe.yaml', '--dry-run'], { cwd }).code).toBe(0);
    const again = troupe(['init'], { cwd });
    expect(again).toMatchObject({ code: 2, err: expect.stringContaining('troupe.yaml exists') as string });
  });
});

describe('doctor', () => {
  test('checks this machine, and says the fix for what is wrong', () => {
    const cwd = freshDir();
    writeFileSync(join(cwd, 'c.yaml'), 'policy: {model: nowhere}\n');
    const { code, out } = troupe(['doctor', 'c.yaml'], { cwd });
    expect(code).toBe(3);
    expect(out).toMatch(/ok +Node/);
    expect(out).toMatch(/ok +kernels/);
    expect(out).toMatch(/wrong +model/);
    expect(out).toContain('→ set policy.model');
  });
});

describe('ls', () => {
  test('lists runs with how they stand', async () => {
    const cwd = freshDir();
    expect(troupe(['ls'], { cwd })).toMatchObject({ code: 0, out: '' });
    await sampleRun(cwd, { name: 'first' });
    await sampleRun(cwd, { name: 'second' });
    const { out } = troupe(['ls', '--json'], { cwd });
    expect(JSON.parse(out)).toMatchObject([
      { run: 'first', state: 'interrupted', steps: 2 },
      { run: 'second', steps: 2, difficulty: 7 },
    ]);
    expect(troupe(['ls'], { cwd }).out).toMatch(/^run +state +steps/);
  });
});

describe('prune', () => {
  test('shows what can go, removes it only when told, and keeps what resume needs', async () => {
    const cwd = freshDir();
    const folder = await sampleRun(cwd);
    mkdirSync(join(folder.checkpoints, '.s00003.partial'), { recursive: true });
    writeFileSync(join(folder.checkpoints, '.s00003.partial', 'x'), '12345');
    const journal = readdirSync(folder.journal);
    expect(troupe(['prune', 'sample'], { cwd }).out).toMatch(/5 B can go/);
    expect(existsSync(join(folder.checkpoints, '.s00003.partial'))).toBe(true);
    expect(troupe(['prune', 'sample', '--yes'], { cwd }).code).toBe(0);
    expect(readdirSync(folder.checkpoints)).toEqual([]);
    expect(readdirSync(folder.journal)).toEqual(journal);
  });
});

describe('a failure', () => {
  test('has the exit code of its boundary', () => {
    const kinds = [ConfigFault, TaskFault, SimulatorFault, JudgeFault, EngineFault, TrainerFault, ThreadFault, RecordFault, CancelledFault];
    expect(kinds.map((Kind) => exitCodeOf(new Kind('x')))).toEqual([2, 1, 1, 1, 4, 4, 1, 3, 130]);
    expect(exitCodeOf(faultOf(new Error('a bug')))).toBe(1);
  });

  test('is told with its causes and without escapes', () => {
    const fault = new EngineFault('no answer', { cause: new Error('reset\u001b[31m by peer'), raw: '\u001b]52;c;x\u0007' });
    expect(failureText(fault)).toBe('EngineFault: no answer\n  read: ]52;c;x\n  because: reset[31m by peer');
  });
});

describe('printable text', () => {
  test('holds no control character but tab and newline, and no mark that reorders text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printable(text)).not.toMatch(/[^\P{Cc}\t\n]|[\u202a-\u202e\u2066-\u2069\u200e\u200f]/u);
      }),
    );
    for (const hostile of [
      '\u001b]52;c;ZXZpbA==\u0007',
      '\u001b]0;title\u001b\\',
      '\u001b[2J\u001b[H',
      '\u009b31m',
      'a\u202egnp.exe',
      'line\rover',
    ]) {
      expect(printable(hostile)).not.toMatch(/[^\P{Cc}\t\n]|\u202e/u);
    }
  });

  test('is what it was where it was harmless', () => {
    const text = 'Zoë said “½ → 👩‍🚀”\n\tand left';
    expect(printable(text)).toBe(text);
  });
});

describe('progress', () => {
  const step: Extract<Progress, { kind: 'step' }> = {
    kind: 'step',
    step: 3,
    steps: 10,
    difficulty: 4,
    nextDifficulty: 7,
    meanReward: 0.62,
    success: 0.7,
    sampledTokens: 4000,
    tokensPerSecond: 1234.5,
    eta: 125,
    faults: { 'simulatorFault.tool': 2 },
    dropped: 3,
    groups: 16,
  };

  function recording(live: boolean): { terminal: Terminal; text: () => string } {
    let said = '';
    const terminal: Terminal = {
      out: () => undefined,
      say: (text) => (said += `${text}\n`),
      warn: () => undefined,
      live,
      width: 200,
      raw: (text) => (said += text),
      paint: (_style, text) => text,
    };
    return { terminal, text: () => said };
  }

  test('is one plain line a step where there is no terminal', () => {
    const { terminal, text } = recording(false);
    const view = progressView(terminal);
    view.show({ kind: 'phase', phase: 'rolling', step: 3, steps: 10, done: 5, of: 16 });
    view.show(step);
    view.end();
    expect(text()).toBe(`${stepText(step)}\n`);
    expect(stepText(step)).toBe(
      'step 3/10  D 4 → 7  reward 0.62  success 0.70  1235 tokens/s  dropped 3/16  lost simulatorFault.tool 2  ETA 2m05s',
    );
  });

  test('writes over its line on a terminal, and shows D rising', () => {
    const { terminal, text } = recording(true);
    const view = progressView(terminal);
    for (const nextDifficulty of [1, 50, 100]) view.show({ ...step, nextDifficulty });
    view.show({ kind: 'note', text: 'tail repaired' });
    view.end();
    expect(text().match(/\n/g)).toHaveLength(1);
    expect(text()).toContain('D 100 ▁▄█');
    expect(sparkline([1, 100])).toBe('▁█');
  });

  test('says long times in hours', () => {
    expect([5, 65, 3725, Infinity].map(duration)).toEqual(['5s', '1m05s', '1h02m', '–']);
  });
});

test('the closing table pairs before and after, level by level', () => {
  const level = (D: number, greedy: number) => ({ D, n: 200, greedy, sampled: null, ci: [0, 1] as [number, number] });
  const text = heldOutTable({
    before: [level(5, 0.99), level(50, 0.48)],
    after: [level(5, 0.99), level(50, 0.61)],
    gains: [
      { D: 50, n: 200, gain: 0.13, ci: [0.07, 0.19] },
      { D: null, n: 200, gain: -0.01, ci: [-0.05, 0.03] },
    ],
  });
  expect(text.split('\n')).toEqual([
    'D      n  before  after  gain (95 %)',
    '5    200   0.990  0.990',
    '50   200   0.480  0.610  +0.130 (+0.070 … +0.190)',
    '25+  200                 −0.010 (−0.050 … +0.030)',
  ]);
});

test('a table lines up, numbers to the right', () => {
  expect(
    table(
      ['name', 'n'],
      [
        ['a', '1'],
        ['bcd', '100'],
      ],
    ),
  ).toBe('name    n\na       1\nbcd   100');
  expect([0, 1023, 2048, 5 * 1024 * 1024, 3e9].map(byteSize)).toEqual(['0 B', '1023 B', '2.0 kB', '5.0 MB', '2.8 GB']);
});
