/** Whole runs: one seed gives one history, whoever was quicker and however many worked on it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ConfigInput } from '../src/config.ts';
import { RunSummary } from '../src/protocol/summary.ts';
import { baseModel, scriptedRun, taughtRun, trainedRun } from './support/recipes.ts';
import { paidTwice, type Remains, remainsOf, run } from './support/runs.ts';
import { meansIn, signalsIn } from './support/signals.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const root = mkdtempSync(join(tmpdir(), 'troupe-run-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Runs to the end; what remains of it. */
async function whole(config: ConfigInput, name: string): Promise<Remains> {
  const { code, err } = await run({ ...config, name }, root);
  expect([code, err]).toEqual([0, '']);
  return remainsOf(join(root, 'runs', name));
}

let scripted: Remains;
let learning: Promise<Remains> | undefined;
/** By a transformer, from a teacher's words. */
const taught = (): Promise<Remains> => (learning ??= whole(taughtRun(root), 'taught'));
beforeAll(async () => {
  baseModel(join(root, 'model'));
  scripted = await whole(scriptedRun(root), 'scripted');
});

describe('two runs of one seed', () => {
  test('are the same bytes with a script for an engine, whatever the workers', async () => {
    const other = await whole({ ...scriptedRun(root), rollout: { ...scriptedRun(root).rollout, workers: 2 } }, 'more-workers');
    expect(other).toEqual(scripted);
    expect(other.commits).toHaveLength(3);
  });

  const threads = (engine: number, trainer: number) => (config: ConfigInput) => ({
    ...config,
    engine: { ...config.engine, threads: engine },
    trainer: { ...config.trainer, threads: trainer },
  });

  test('are the same bytes with a transformer that learns, whatever the threads', async () => {
    const one = await taught();
    const other = await whole(threads(1, 2)(taughtRun(root)), 'taught-by-two');
    expect(other).toEqual(one);
    expect(one.commits.at(-1)?.version).toBe(2);
  });

  test('are the same bytes with a transformer that samples, whatever the threads', async () => {
    const one = await whole(trainedRun(root), 'sampled');
    const other = await whole(threads(2, 1)(trainedRun(root)), 'sampled-by-two');
    expect(other).toEqual(one);
    expect(one.commits.at(-1)?.version).toBeGreaterThan(0);
    expect(paidTwice(join(root, 'runs', 'sampled'))).toEqual([]);
  });
});

test('the record holds the trainer’s view of every token that was trained: gap and entropy of a step are its means', async () => {
  const { metrics, commits, signals } = await taught();
  const means = meansIn(join(root, 'runs', 'taught'));
  const steps = metrics
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, number | string>);
  const trained = steps.filter(({ trained: samples }) => samples !== 0);
  expect(trained.length).toBeGreaterThan(0);
  expect([...means.keys()]).toEqual(trained.map(({ step }) => step));
  for (const row of trained) {
    const mean = means.get(row['step'] as string);
    expect(mean?.tokens).toBe(row['trainedTokens']);
    expect(mean?.gap).toBeCloseTo(row['gap'] as number, 6);
    expect(mean?.entropy).toBeCloseTo(row['entropy'] as number, 6);
    expect(row['entropy']).toBeGreaterThan(0);
    expect(row['sampledTokens']).toBeGreaterThanOrEqual(row['trainedTokens'] as number);
  }
  // Of the weights that were trained, not of those that came of it.
  for (const { step, version } of signalsIn(join(root, 'runs', 'taught')).values())
    expect(version).toBe((commits.find((commit) => commit.step === step)?.version ?? 0) - 1);
  expect(Object.keys(signals).length).toBeGreaterThan(0);
});

test('another seed gives other episodes; --json closes with the summary, and nothing else is on stdout', async () => {
  const { out } = await run({ ...scriptedRun(root), name: 'other', seed: 2 }, root, '--json');
  const lines = out.trimEnd().split('\n');
  expect(lines).toHaveLength(1);
  expect(RunSummary.parse(JSON.parse(lines[0] as string))).toMatchObject({
    run: 'other',
    ended: 'done',
    steps: 3,
    episodes: 48,
    faults: {},
  });
  const other = remainsOf(join(root, 'runs', 'other'));
  expect(other.episodes).not.toBe(scripted.episodes);
  expect(other.commits[0]?.chain).not.toBe(scripted.commits[0]?.chain);
});
