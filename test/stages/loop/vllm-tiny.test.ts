/** The whole loop as a user runs it: one command, a real vLLM server that Troupe starts and ends, a LoRA policy, the torch sidecar. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunSummary } from '../../../src/protocol/summary.ts';
import { python } from '../../support/torch.ts';

interface Step {
  readonly step: string;
  readonly version: number;
  readonly rollouts: number;
  readonly loss?: number;
  readonly kl?: number;
  readonly gradNorm?: number;
  readonly gap?: number;
}

describe.skipIf(python === undefined)('configs/vllm-tiny.yaml', () => {
  let folder: string;
  let code: number | null;
  let said: string;
  let words: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'troupe-loop-'));
    const args = [resolve('dist/run.js'), 'configs/vllm-tiny.yaml', '--json', '--set', `record.dir=${folder}`];
    const run = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 1_150_000, env: { ...process.env, NO_COLOR: '1' } });
    [code, said, words] = [run.status, run.stdout, run.stderr];
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const steps = (): Step[] =>
    readFileSync(join(folder, 'vllm-tiny', 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Step);
  const trained = (): Step[] => steps().filter(({ rollouts }) => rollouts > 0);

  it('ends by itself, its last line the summary of ten steps or more', () => {
    expect(code, words).toBe(0);
    const summary = RunSummary.parse(JSON.parse(said.trim().split('\n').at(-1) as string));
    expect(summary.ended).toBe('done');
    expect(summary.steps).toBeGreaterThanOrEqual(10);
    expect(summary.faults).toEqual({});
    expect(summary.heldOut?.after?.map(({ n }) => n)).toEqual([20, 20]);
    expect(summary.sampler?.meanAbsLogprobGap).toBeLessThanOrEqual(1e-3);
  });

  it('publishes one new adapter at each trained step', () => {
    expect(trained().length).toBeGreaterThanOrEqual(8);
    trained().forEach(({ version }, index) => expect(version).toBe(index + 1));
  });

  it('has a loss, a KL and a gradient that are finite and not 0, and log-probs on which sampler and trainer agree, at each of them', () => {
    for (const { step, loss, kl, gradNorm, gap } of trained()) {
      for (const figure of [loss, gradNorm, ...(step === trained()[0]?.step ? [] : [kl])]) {
        expect(figure, step).not.toBe(0);
        expect(Number.isFinite(figure), step).toBe(true);
      }
      expect(gap, step).toBeLessThanOrEqual(1e-3);
      expect(words).toContain('|Δ log-prob|');
    }
  });
});
