/** The torch trainer's process: what it writes is read elsewhere, how it ends, and what it leaves. Its own parts have tests in python/tests, run here too. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/actors/clock.ts';
import { ConfigFault } from '../../../src/errors.ts';
import { createEmbeddedTrainer } from '../../../src/gpu/trainers/embedded.ts';
import type { TorchTrainer, TorchTrainerOptions } from '../../../src/gpu/trainers/torch.ts';
import { readModel } from '../../../src/gpu/weights.ts';
import type { Objective } from '../../../src/learning/objective.ts';
import type { PolicyVersion } from '../../../src/protocol/ids.ts';
import { adamw, batchOf, sample } from '../../support/trainer-conformance.ts';
import { base, lora, python, torch } from '../../support/torch.ts';

const grpo: Objective = { kind: 'grpo', clipLow: 0.2, clipHigh: 0.2, kl: 0.01 };
const batch = batchOf(sample('g0', [10, 20, 30], [40, 50, 3], 1), sample('g0', [10, 20, 30], [60, 3], -1));
/** Enough to be in the middle of. */
const long = batchOf(
  ...Array.from({ length: 128 }, (_, n) =>
    sample(
      `g${n >> 3}`,
      Array.from({ length: 100 }, (_x, i) => 8 + i),
      Array.from({ length: 800 }, (_x, i) => 8 + ((i * 7 + n) % 440)),
      1,
    ),
  ),
);

describe.skipIf(python === undefined)('the torch trainer’s process', () => {
  let folder: string;
  const open: TorchTrainer[] = [];
  const start = (options: Partial<TorchTrainerOptions> = {}): TorchTrainer => {
    const trainer = torch(options);
    open.push(trainer);
    return trainer;
  };
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'troupe-process-'));
  });
  afterAll(async () => {
    await Promise.all(open.map((trainer) => trainer.close()));
    rmSync(folder, { recursive: true, force: true });
  });

  it('passes the tests of its own parts', () => {
    execFileSync(python as string, ['-m', 'unittest', 'discover', '-s', 'tests', '-t', '.'], {
      cwd: 'python',
      env: { ...process.env, OMP_NUM_THREADS: '1' },
      stdio: 'pipe',
      timeout: 110_000,
    });
  });

  it('writes whole models that our own engine reads, frozen rows as they were, each tokenizer file with it', async () => {
    const trainer = start();
    await trainer.forwardBackward(batch, grpo);
    await trainer.optimStep({ ...adamw, learningRate: 1e-3 });
    const weights = await trainer.saveWeightsForSampler(join(folder, 'full'), 5 as PolicyVersion);
    const model = readModel(weights.dir, weights);
    const before = readModel(base);
    expect(model.weights).toEqual(weights);
    expect(model.frozen).toEqual(before.frozen);
    for (const name of ['tokenizer.json', 'tokenizer_config.json', 'config.json', 'generation_config.json'])
      expect(readFileSync(join(weights.dir, name), 'utf8')).toBe(readFileSync(join(base, name), 'utf8'));
    const { name, rows } = model.frozen[0] as { name: string; rows: number };
    const [was, is] = [before, model].map((one) => one.tensors.get(name) as Float32Array) as [Float32Array, Float32Array];
    const width = model.shape.hidden;
    expect(is.subarray(0, rows * width)).toEqual(was.subarray(0, rows * width));
    expect(is.subarray(rows * width)).not.toEqual(was.subarray(rows * width));
    const embedded = createEmbeddedTrainer({ model: weights.dir, threads: 1, deterministic: true, clock: systemClock, deadlineMs: 60_000 });
    const [ours, theirs] = await Promise.all([embedded.logprobs(batch), trainer.logprobs(batch)]);
    for (const [i, logprob] of ours.entries()) expect(logprob).toBeCloseTo(theirs[i] as number, 4);
    await embedded.close();
  });

  it('computes in half precision where it is told to, log-probs in single, and says what it runs on', async () => {
    const logFile = join(folder, 'logs', 'trainer.log');
    const [exact, half] = [start({ adapter: lora }), start({ adapter: lora, dtype: 'bfloat16', logFile })];
    const hello = await half.hello();
    expect(hello).toMatchObject({ device: 'cpu', dtype: 'bfloat16', threads: 1, vocabulary: 448, trained: 77_824 });
    expect(hello.memoryBytes).toBeGreaterThan(1e8);
    expect(existsSync(logFile)).toBe(true);
    const [a, b] = await Promise.all([exact.logprobs(batch), half.logprobs(batch)]);
    const gap = a.map((logprob, i) => Math.abs(logprob - (b[i] as number)));
    expect(Math.max(...gap)).toBeGreaterThan(0);
    expect(gap.reduce((sum, one) => sum + one, 0) / gap.length).toBeLessThan(0.25);
    await half.forwardBackward(batch, grpo);
    expect((await half.optimStep(adamw)).gradNorm).toBeGreaterThan(0);
  });

  it('says what it cannot open', async () => {
    mkdirSync(join(folder, 'none'));
    await expect(start({ model: join(folder, 'none') }).hello()).rejects.toThrow(/holds no config\.json/);
    await expect(start({ device: 'cuda' }).hello()).rejects.toThrow(/there is no CUDA device; set trainer\.torch\.device to cpu/);
    await expect(start({ model: join(folder, 'none') }).hello()).rejects.toBeInstanceOf(ConfigFault);
  });

  it('is killed in the middle of a step that outlasts its deadline', async () => {
    const trainer = start({ deadlineMs: 1500 });
    await trainer.hello();
    const began = performance.now();
    await expect(trainer.forwardBackward(long, grpo)).rejects.toThrow(/did not answer forward_backward within 1500 ms/);
    await trainer.close();
    expect(performance.now() - began).toBeLessThan(15_000);
  });

  it('ends by itself, in the middle of a step, when whoever asked is gone', async () => {
    // As a parent that is killed leaves it: stdin ends while a verb runs.
    const child = spawn(python as string, ['-m', 'troupe_trainer'], { cwd: 'python', stdio: ['pipe', 'pipe', 'inherit'] });
    const { packForeign } = await import('../../../src/protocol/codec.ts');
    const { frameOf } = await import('../../../src/gpu/trainers/torch/frames.ts');
    const { foreignBatch } = await import('../../../src/gpu/trainers/torch/pack.ts');
    const say = (verb: string, args: unknown): void => {
      for (const part of frameOf(packForeign({ id: 0, verb, args }))) child.stdin.write(part);
    };
    const fixed = { device: 'cpu', dtype: 'float32', gradientCheckpointing: true, microBatchTokens: 8192, threads: 1, seed: 0 };
    say('open', { model: join(process.cwd(), base), base: 'tiny', adapter: null, ...fixed });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    say('forward_backward', { batch: foreignBatch(long), objective: grpo });
    const answered = new Promise((resolve) => child.stdout.once('data', () => resolve('answered')));
    const gone = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
    // The batch is read and under way by the time the stream ends behind it.
    child.stdin.end();
    expect(await Promise.race([answered, gone])).toBe(0);
  });
});
