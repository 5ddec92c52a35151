/** TRUSTEE in a dolls' house, as a user runs it: one command, one tiny model in every role and as the policy, a real vLLM server that Troupe starts and ends, the torch sidecar. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SimulatorRole } from '../../../src/protocol/outcome.ts';
import { RunSummary } from '../../../src/protocol/summary.ts';
import { python } from '../../support/torch.ts';

interface Row {
  readonly group: string;
  readonly outcome: string;
  readonly reward: number | null;
}

const GROUP = 8;
/** Outcomes that the policy answers for; all others are unscored. */
const rewarded = new Set(['scored', 'policyFault', 'truncated.policy']);

describe.skipIf(python === undefined)('configs/trustee-tiny.yaml', () => {
  let folder: string;
  let code: number | null;
  let said: string;
  let words: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'troupe-trustee-'));
    const args = [resolve('dist/run.js'), 'configs/trustee-tiny.yaml', '--json', '--set', `record.dir=${folder}`, '--set', 'eval.tasks=16'];
    const run = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 1_150_000, env: { ...process.env, NO_COLOR: '1' } });
    [code, said, words] = [run.status, run.stdout, run.stderr];
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const summary = (): RunSummary => RunSummary.parse(JSON.parse(said.trim().split('\n').at(-1) as string));
  const lines = (file: string): unknown[] =>
    readFileSync(join(folder, 'trustee-tiny', file), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
  const rows = (): Row[] => lines('episodes.jsonl') as Row[];

  it('ends by itself after five steps or more, each of them in the record', () => {
    expect(code, words).toBe(0);
    const { ended, steps } = summary();
    expect(ended).toBe('done');
    expect(steps).toBeGreaterThanOrEqual(5);
    expect(lines('metrics.jsonl')).toHaveLength(steps);
  });

  it('trains on what the simulated episodes were worth', () => {
    const { policyVersions, sampler } = summary();
    expect(policyVersions).toBeGreaterThanOrEqual(2);
    expect(sampler?.meanAbsLogprobGap).toBeLessThanOrEqual(1e-3);
  });

  it('says of each of the four roles what it was asked, refused and forgiven', () => {
    const { simulators = {} } = summary();
    for (const role of SimulatorRole.options) {
      const tally = simulators[role];
      expect(tally?.calls, role).toBeGreaterThan(0);
      // Each prompt but the last of a question was refused, and so was the last of one that nobody answered.
      const refused = Object.values(tally?.defects ?? {}).reduce((sum, count) => sum + count, 0);
      expect(refused, role).toBeLessThan(tally?.calls ?? 0);
    }
  });

  it('scores no episode that a simulator failed: members are scored or lost, never both, never neither', () => {
    const all = rows();
    const groups = new Map<string, Row[]>();
    for (const row of all) groups.set(row.group, [...(groups.get(row.group) ?? []), row]);
    for (const [group, members] of groups) expect(members.length, group).toBe(GROUP);
    for (const { outcome, reward } of all) expect(reward === null, outcome).toBe(!rewarded.has(outcome));
    const lost = all.filter(({ outcome }) => !rewarded.has(outcome)).length;
    expect(Object.values(summary().faults).reduce((sum, count) => sum + count, 0)).toBe(lost);
    expect(all.length - lost).toBeGreaterThan(all.length / 2);
  });

  it('measures the policy before and after on held-out tools, in the world whose truth is known', () => {
    const { heldOut } = summary();
    expect([heldOut?.before, heldOut?.after].map((levels) => levels?.map(({ D, n }) => [D, n]))).toEqual([
      [
        [25, 16],
        [75, 16],
      ],
      [
        [25, 16],
        [75, 16],
      ],
    ]);
  });
});
