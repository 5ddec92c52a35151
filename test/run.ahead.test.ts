/** Whole runs in asynchronous mode: steps roll while others are trained, lags are bounded and counted, and a run that is killed loses nothing of what lay ahead. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ConfigInput } from '../src/config.ts';
import { unpack } from '../src/protocol/codec.ts';
import type { Frame } from '../src/protocol/frame.ts';
import type { RolloutGroup } from '../src/protocol/group.ts';
import type { JsonObject } from '../src/protocol/json.ts';
import { framesFrom } from '../src/record/reader.ts';
import { baseModel, scriptedRun } from './support/recipes.ts';
import { isAlive, journalBytes, run, start, survive, written } from './support/runs.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const root = mkdtempSync(join(tmpdir(), 'troupe-ahead-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const steps = 4;
const staleness = 1;
/** D is fixed, so that the tasks are the same whenever they are drawn; every step has both right and wrong turns, so it trains. */
const config = (lag: number): ConfigInput => ({
  ...scriptedRun(root),
  name: `lag-${lag}`,
  steps,
  engine: { kind: 'scripted', scripted: { skill: 0.6, latencyMs: 4 } },
  trainer: { kind: 'scripted', learningRate: 0.01, importance: 'token' },
  curriculum: { mode: 'fixed', start: 40 },
  rollout: { tasks: 4, group: 4, workers: 1, staleness: lag },
  eval: { at: [] },
});
const folder = (name: string): string => join(root, 'runs', name);
const framesOf = (name: string): Frame[] => [...framesFrom(join(folder(name), 'journal'))].map(({ frame }) => frame);
const groupsOf = (name: string): RolloutGroup[] =>
  framesOf(name).flatMap((frame) => (frame.kind === 'group.sealed' ? [unpack(frame.bytes) as RolloutGroup] : []));
const rowsOf = (name: string): JsonObject[] =>
  readFileSync(join(folder(name), 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as JsonObject);
const committedOf = (name: string) => framesOf(name).flatMap((frame) => (frame.kind === 'step.committed' ? [frame.committed] : []));

beforeAll(async () => {
  baseModel(join(root, 'model'));
  for (const lag of [0, staleness]) expect(await run(config(lag), root)).toMatchObject({ code: 0 });
});

describe('a run that may lag', () => {
  test('plays the next step before the present one is committed; one that may not never does', () => {
    const early = (lag: number): number => {
      const frames = framesOf(`lag-${lag}`);
      return Array.from({ length: steps }, (_, n) => n + 1).filter((step) => {
        const committed = frames.findIndex((frame) => frame.kind === 'step.committed' && frame.committed.step === `s0000${step}`);
        return frames.slice(0, committed).some((frame) => frame.kind === 'call.reply' && frame.group > `s0000${step + 1}`);
      }).length;
    };
    expect([early(0), early(staleness)]).toEqual([0, steps - 1]);
  });

  test('trains every step in order, no rollout more than its staleness behind, and counts them by lag', () => {
    expect(committedOf(`lag-${staleness}`).map(({ step }) => step)).toEqual(Array.from({ length: steps }, (_, n) => `s0000${n + 1}`));
    for (const row of rowsOf(`lag-${staleness}`)) {
      const lags = row['lags'] as Record<string, number>;
      expect(Object.keys(lags).every((lag) => Number(lag) <= staleness)).toBe(true);
      expect(Object.values(lags).reduce((sum, n) => sum + n, 0)).toBe(16);
    }
    expect(rowsOf(`lag-${staleness}`).some((row) => (row['lag'] as number) > 0)).toBe(true);
    expect(rowsOf('lag-0')[0]).not.toHaveProperty('lags');
  });

  test('pins each group to one version from its first token to its last', () => {
    for (const { episodes } of groupsOf(`lag-${staleness}`))
      expect(new Set(episodes.flatMap(({ policy }) => (policy === null ? [] : [policy.start, policy.end]))).size).toBe(1);
  });

  test('plays the same episodes as one in step with its trainer, where nothing depends on the policy', () => {
    const played = (name: string) =>
      groupsOf(name)
        .flatMap(({ episodes }) => episodes.map(({ id, turns, reward }) => ({ id, turns, reward })))
        .toSorted((a, b) => (a.id < b.id ? -1 : 1));
    expect(played(`lag-${staleness}`)).toEqual(played('lag-0'));
  });

  test('says how far it lags, and why its objective should weigh that', async () => {
    const name = 'unweighed';
    const { err } = await start([written({ ...config(staleness), name, steps: 1, trainer: { kind: 'scripted' } }, root)], root).ended;
    expect(err).toMatch(/rollouts may lag 1 versions behind and trainer.importance is none/);
    expect(err).toMatch(/step 1\/1 .* lag 0\.00/);
  });
});

const sealedTwice = (name: string): string[] => {
  const ids = groupsOf(name).map(({ id }) => id as string);
  return ids.filter((id, n) => ids.indexOf(id) !== n);
};

test('killed while its first steps roll and again with steps ahead, it loses no sealed group, rolls none again, and takes each step once', async () => {
  const name = 'killed';
  const moments = [
    { kind: 'journal', bytes: Math.round(0.25 * journalBytes(folder(`lag-${staleness}`))) },
    { kind: 'named', step: 's00002' },
  ] as const;
  expect(await survive({ ...config(staleness), name }, root, moments)).toBe(moments.length);
  expect(sealedTwice(name)).toEqual([]);
  const commits = committedOf(name);
  expect(commits.map(({ step }) => step)).toEqual(Array.from({ length: steps }, (_, n) => `s0000${n + 1}`));
  expect(commits.flatMap(({ groups }) => groups)).toEqual(
    groupsOf(name)
      .map(({ id }) => id)
      .toSorted(),
  );
  // Tasks were issued once and kept, cursor and all: the same tasks as those of the undisturbed run.
  const tasks = (of: string) =>
    groupsOf(of)
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .map(({ task }) => task);
  expect(tasks(name)).toEqual(tasks(`lag-${staleness}`));
});

test('Ctrl-C gives up what lies ahead within seconds, and the run goes on from there', async () => {
  const name = 'interrupted';
  const slow = { ...config(staleness), name, engine: { kind: 'scripted', scripted: { skill: 0.6, latencyMs: 15 } } } satisfies ConfigInput;
  const process = start([written(slow, root), '--json'], root);
  const isAhead = (): boolean => journalBytes(folder(name)) > 0 && framesOf(name).some((frame) => frame.kind === 'step.committed');
  while (isAlive(process) && !isAhead()) await new Promise((resolve) => setTimeout(resolve, 5));
  const from = performance.now();
  process.child.kill('SIGINT');
  const { code, out } = await process.ended;
  expect([code, JSON.parse(out)]).toEqual([130, expect.objectContaining({ ended: 'interrupted' })]);
  expect(performance.now() - from).toBeLessThan(10_000);
  const resumed = await start(['resume', folder(name), '--json'], root).ended;
  expect(JSON.parse(resumed.out)).toMatchObject({ ended: 'done', steps });
  expect(sealedTwice(name)).toEqual([]);
});
