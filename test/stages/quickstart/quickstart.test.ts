import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RunSummary } from '../../../src/protocol/summary.ts';

/** The README's first command, run to its end on this machine. */
const dir = mkdtempSync(join(tmpdir(), 'troupe-quickstart-'));
let summary: RunSummary;
let status: number | null;

beforeAll(() => {
  const run = spawnSync('node', ['dist/run.js', 'configs/quickstart.yaml', '--json', '--set', `record.dir=${dir}`], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  status = run.status;
  summary = RunSummary.parse(JSON.parse(run.stdout.trim().split('\n').at(-1) ?? ''));
  console.log(JSON.stringify(summary.heldOut?.gains));
}, 1_000_000);

afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('the quickstart ends by itself with a summary', () => {
  expect(status).toBe(0);
  expect(['done', 'budget']).toContain(summary.ended);
});

test('difficulty rises', () => expect(summary.difficulty).toBeGreaterThan(20));

test('no episode is lost', () => expect(summary.faults).toEqual({}));

test('sampler and trainer agree on what was sampled', () => expect(summary.sampler?.meanAbsLogprobGap).toBeLessThan(1e-4));

test('success on held-out tools rises: the paired 95 % interval of the pooled gain excludes 0', () => {
  const pooled = summary.heldOut?.gains?.find((gain) => gain.D === null);
  expect(pooled?.ci[0]).toBeGreaterThan(0);
});

test('what was easy stays learnt: D = 5 falls by at most 0.03', () => {
  const easy = summary.heldOut?.gains?.find((gain) => gain.D === 5);
  expect(easy?.gain).toBeGreaterThanOrEqual(-0.03);
});
