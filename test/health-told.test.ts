/** How the simulated roles answered is told wherever a run is told: each step's line, the closing summary, show. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openAccount } from '../src/actors/account.ts';
import { simulatorHealthOf, summaryOf } from '../src/actors/summary.ts';
import { healthTable } from '../src/cli/health-table.ts';
import { outcomeText } from '../src/cli/outcome.ts';
import { stepText } from '../src/cli/progress.ts';
import type { StepResult } from '../src/gpu/policy-update-commit.ts';
import { emptyTally } from '../src/learning/health.ts';
import { SimulatorHealth } from '../src/protocol/health.ts';
import type { Progress } from '../src/protocol/progress.ts';
import { RunSummary } from '../src/protocol/summary.ts';
import type { JsonObject } from '../src/protocol/json.ts';
import { simulatedClock } from '../src/actors/clock.ts';
import { troupe } from './support/command-line.ts';
import { sampleRun } from './support/sample-run.ts';

const root = mkdtempSync(join(tmpdir(), 'troupe-health-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const health: SimulatorHealth = {
  roles: {
    task: emptyTally,
    user: {
      ...emptyTally,
      asks: 50,
      spared: 10,
      calls: 41,
      defects: { malformed: 1, leak: 2 },
      repaired: 1,
      promptTokens: 400,
      replyTokens: 40,
    },
    tool: {
      ...emptyTally,
      asks: 100,
      spared: 60,
      calls: 59,
      defects: { malformed: 9, inconsistent: 4, silent: 1 },
      repaired: 8,
      masked: 1,
      promptTokens: 900,
      replyTokens: 90,
    },
  },
  tools: {
    find_book: { ...emptyTally, asks: 60, calls: 20 },
    lend_book: {
      ...emptyTally,
      asks: 40,
      spared: 1,
      calls: 39,
      defects: { malformed: 9, inconsistent: 4, silent: 1 },
      repaired: 8,
      masked: 1,
    },
  },
  audit: { episodes: 8, fidelity: 7.6, contradictions: 1, leaks: 2, prematureStops: 0, overstays: 0, overreaches: 0, refused: 1 },
};
const standing = {
  committed: null,
  weights: { version: 2, dir: 'm', kind: 'full', sha256: '' },
  curriculum: { difficulty: 7, drawn: 0 },
  history: [],
  updates: 2,
};

describe('health', () => {
  test('is in the line of each step, all roles together', () => {
    const lines: Progress[] = [];
    const account = openAccount({
      clock: simulatedClock(),
      steps: 2,
      firstStep: 1,
      sampledBefore: 0,
      budgetMs: undefined,
      timing: () => undefined,
      progress: (progress) => lines.push(progress),
    });
    const metrics = {
      sampledTokens: 1,
      fates: {},
      groups: 2,
      groupsTrained: 2,
      difficulty: 1,
      meanReward: 0,
      success: 0,
      simulators: health,
    } as unknown as JsonObject;
    const result = { metrics, standing, pause: null, alarm: 'losses are uneven over lengths: …' } as unknown as StepResult;
    account.close(1, result, null);
    const [step, note] = lines;
    expect(stepText(step as Extract<Progress, { kind: 'step' }>)).toContain(
      'simulators 10.0 % malformed, 4.0 % inconsistent, 11.3 % repaired, 1.3 % masked, fidelity 0.95',
    );
    expect(note).toEqual({ kind: 'note', text: 'step 1: losses are uneven over lengths: …' });
  });

  test('is a table by role, with intervals, and by those tools that were refused', () => {
    const text = healthTable(health);
    expect(text).toMatch(/^tool +100 +60 +59 +15\.3 % \(8\.2 … 26\.5\) +6\.8 % +20\.0 % +2\.5 % \(0\.4 … 12\.9\) +900 +90$/m);
    expect(text).toMatch(/^ {2}lend_book +40 +1 +39 +23\.1 %/m);
    expect(text).not.toContain('find_book');
    expect(text).toContain('also refused: user leak 2, tool silent 1');
    expect(text).toContain('fidelity 0.950 over 8 episodes, 1 refused: 1 contradictions, 2 leaks');
  });

  test('closes the run, of all committed steps together', async () => {
    const folder = await sampleRun(root, { name: 'told', health });
    // Two steps of two groups.
    expect(simulatorHealthOf(folder)?.roles.tool).toMatchObject({
      asks: 400,
      masked: 4,
      defects: { malformed: 36, inconsistent: 16, silent: 4 },
    });
    const summary = RunSummary.parse(
      summaryOf({ folder, ended: 'done', detail: '', seconds: 1, standing: standing as never, heldOut: undefined, judge: undefined }),
    );
    expect(summary.simulators?.tool).toEqual({
      asks: 400,
      calls: 236,
      spared: 240,
      malformed: 36,
      inconsistent: 16,
      defects: { malformed: 36, inconsistent: 16, silent: 4 },
      repaired: 32,
      masked: 4,
      promptTokens: 3600,
      replyTokens: 360,
    });
    expect(Object.keys(summary.simulators ?? {})).toEqual(['task', 'user', 'tool']);
    expect(summary.fidelity).toEqual({ mean: 0.95, episodes: 32, refused: 4 });
    const text = outcomeText(summary, { paint: (_, words) => words });
    expect(text).toMatch(/^tool +400 +240 +236 /m);
    expect(text).toContain('fidelity 0.950 over 32 episodes, 4 refused');
  });

  test('is not there where code played every role', async () => {
    const folder = await sampleRun(root, { name: 'code' });
    expect(simulatorHealthOf(folder)).toBeNull();
    expect(
      'simulators' in
        summaryOf({ folder, ended: 'done', detail: '', seconds: 1, standing: standing as never, heldOut: undefined, judge: undefined }),
    ).toBe(false);
  });

  test('is shown of a group, of the last step, and of the run', async () => {
    await sampleRun(root, { name: 'shown', health });
    const shown = (...args: string[]): string => troupe(['show', ...args, '--run', 'shown'], { cwd: root }).out;
    const group = shown('s00001.t001');
    expect(group).toMatch(/^tool +100 /m);
    expect(group).not.toContain('over the run');
    expect(shown()).toMatch(/^tool +200 [^]*over the run[^]*^tool +400 /m);
    const rows = shown('s00001.t001', '--json')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as JsonObject);
    expect(SimulatorHealth.parse(rows.at(-1)?.['simulators'])).toEqual(health);
  });
});
