/** The paper's own config, played through on any machine: no model, no Python, no network; a fake server whose brain plays every role. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { RunSummary } from '../src/protocol/summary.ts';
import { type Ended, start } from './support/runs.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const root = mkdtempSync(join(tmpdir(), 'troupe-run-trustee-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** The command of its header, with fewer tasks. */
const smaller = ['rollout.tasks=4', 'rollout.group=4', 'eval.tasks=2', 'eval.levels=[5, 50]', 'engine.scripted.skill=0.8'];
let ended: Ended;
let summary: RunSummary;
beforeAll(async () => {
  const sets = ['steps=1', 'engine.kind=fake', ...smaller].flatMap((set) => ['--set', set]);
  ended = await start([resolve('configs/trustee.yaml'), ...sets, '--json'], root, { HF_HOME: join(root, 'hub') }).ended;
  expect(ended.code, ended.err).toBe(0);
  summary = RunSummary.parse(JSON.parse(ended.out.trimEnd().split('\n').at(-1) as string));
});

test('goes to its end, and loses no episode', () => {
  expect(summary).toMatchObject({ ended: 'done', steps: 1, episodes: 16, faults: {} });
});

test('says what stands in for the model, and that nothing is learnt', () => {
  expect(ended.err).toMatch(/Qwen\/Qwen3-8B is not on this machine, and a fake server needs no model: bytes stand in for its tokens/);
  expect(ended.err).toMatch(/trainer\.kind torch would train that model; here steps are counted, and nothing is learnt/);
});

test('has all four roles played by the model, and counts what they were asked', () => {
  for (const role of ['task', 'user', 'tool', 'judge'] as const)
    expect(summary.simulators?.[role], role).toMatchObject({ malformed: 0, masked: 0, inconsistent: 0 });
  expect(summary.simulators?.task?.calls).toBeGreaterThanOrEqual(4);
  expect(summary.simulators?.user?.calls).toBeGreaterThan(0);
  expect(summary.simulators?.tool?.calls).toBeGreaterThan(0);
  expect(summary.simulators?.judge?.calls).toBeGreaterThan(0);
  expect(summary.simulators?.judge?.promptTokens).toBeGreaterThan(1000);
});

test('scores its episodes', () => {
  const rows = readFileSync(join(root, 'runs/trustee/episodes.jsonl'), 'utf8').trimEnd().split('\n');
  const outcomes = rows.map((row) => JSON.parse(row) as { outcome: string; reward: number | null });
  expect(outcomes).toHaveLength(16);
  for (const { outcome, reward } of outcomes) {
    expect(['scored', 'truncated', 'policyFault']).toContain(outcome);
    expect(reward).not.toBeNull();
  }
  expect(outcomes.some(({ reward }) => reward === 1)).toBe(true);
});

test('is examined in a world whose truth is known', () => {
  expect(summary.heldOut?.before?.map(({ D, n }) => [D, n])).toEqual([
    [5, 2],
    [50, 2],
  ]);
});
