/** Ctrl-C in every phase of a run: once ends it well and it can go on, twice ends it at once. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { ConfigInput } from '../src/config.ts';
import { framesFrom } from '../src/record/reader.ts';
import { baseModel, scriptedRun, taughtRun } from './support/recipes.ts';
import { isAlive, journalBytes, type Process, start, written } from './support/runs.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const root = mkdtempSync(join(tmpdir(), 'troupe-interrupt-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
beforeAll(() => baseModel(join(root, 'model')));

interface Phase {
  readonly config: ConfigInput;
  /** The run is in the phase once this holds; its folder is given. */
  readonly isThere: (dir: string) => boolean;
  /** Steps that must be committed at the end. */
  readonly steps: number;
}

const hasFrame = (dir: string, kind: string): boolean =>
  journalBytes(dir) > 0 && [...framesFrom(join(dir, 'journal'))].some(({ frame }) => frame.kind === kind);
const slow = { kind: 'scripted', scripted: { skill: 0.8, latencyMs: 200 } } as const;
const untested = { ...scriptedRun(root), eval: { at: [] } } satisfies ConfigInput;

const phases = {
  preparing: { config: untested, isThere: (dir) => journalBytes(dir) > 0, steps: 0 },
  evaluating: { config: { ...scriptedRun(root), engine: slow }, isThere: (dir) => hasFrame(dir, 'call.reply'), steps: 0 },
  'rolling under a hung engine': {
    config: { ...untested, engine: { kind: 'scripted', scripted: { hang: 1 } } },
    isThere: (dir) => hasFrame(dir, 'task.issued'),
    steps: 0,
  },
  updating: {
    config: { ...taughtRun(root), eval: { at: [] } },
    isThere: (dir) => existsSync(join(dir, 'checkpoints', '.s00001.partial')),
    steps: 1,
  },
} satisfies Record<string, Phase>;
type PhaseName = keyof typeof phases;

/** A run of its own that has come to the phase. */
async function runIn(phase: PhaseName, suffix: string): Promise<{ process: Process; dir: string }> {
  const { config, isThere }: Phase = phases[phase];
  const name = `${phase.replaceAll(' ', '-')}-${suffix}`;
  const dir = join(root, 'runs', name);
  const process = start([written({ ...config, name }, root), '--json'], root);
  while (isAlive(process) && !isThere(dir)) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(isAlive(process)).toBe(true);
  return { process, dir };
}

const names = Object.keys(phases) as PhaseName[];
test.each(names)('Ctrl-C while %s ends with a checkpoint and 130 within 20 s, and the run goes on from there', async (phase) => {
  const { process, dir } = await runIn(phase, 'once');
  const { steps } = phases[phase];
  const from = performance.now();
  process.child.kill('SIGINT');
  const { code, out, err } = await process.ended;
  expect([code, err]).toEqual([130, expect.stringContaining('once more to stop at once')]);
  expect(performance.now() - from).toBeLessThan(20_000);
  expect(JSON.parse(out)).toMatchObject({ ended: 'interrupted', steps });
  const resumed = await start(['resume', dir, '--json', '--set', `steps=${steps}`], root).ended;
  expect(JSON.parse(resumed.out)).toMatchObject({ ended: 'done', steps });
  expect(resumed.code).toBe(0);
});

test.each(['evaluating', 'updating'] as const)('a second Ctrl-C while %s ends with 130 within 1 s', async (phase) => {
  const { process } = await runIn(phase, 'twice');
  process.child.kill('SIGINT');
  // Two signals that arrive together would be one.
  await process.said('once more to stop at once');
  const from = performance.now();
  process.child.kill('SIGINT');
  expect((await process.ended).code).toBe(130);
  expect(performance.now() - from).toBeLessThan(1_000);
});
