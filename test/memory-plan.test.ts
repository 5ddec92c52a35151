/** The memory plan against figures others measured or counted, and what a user is told of it before anything is downloaded. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { memoryPlanFor } from '../src/actors/memory.ts';
import { readConfig } from '../src/cli/settings/read.ts';
import { readCards } from '../src/gpu/cards.ts';
import { knownFacts, knownNames } from '../src/gpu/known-models.ts';
import { type MemoryDemand, type MemoryPlan, memoryPlan } from '../src/gpu/memory-plan.ts';
import { type LayerMatrix, layerMatrices, type ModelFacts } from '../src/gpu/model-facts.ts';
import { troupe } from './support/command-line.ts';

const root = mkdtempSync(join(tmpdir(), 'troupe-memory-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const known = (name: string): ModelFacts => knownFacts(name) as ModelFacts;
const targets = Object.keys(layerMatrices(known('Qwen/Qwen3-8B'))) as LayerMatrix[];
const server = { bytesPerWeight: 2, contextLength: 2048, maxSequences: 256, adapters: 0, rank: 32 } as const;
const trainer = { bytesPerWeight: 2, adapter: { rank: 32, targets }, reference: true, tokens: 8192, checkpointing: true } as const;
/** Qwen3-8B on a card of 80 · 10⁹ bytes, as the figures we compare with. */
const eight = { facts: known('Qwen/Qwen3-8B'), cardBytes: 80e9, sharing: 'coresident', server, trainer } as const satisfies MemoryDemand;
const gigabytes = (demand: MemoryDemand, of: string, what: string): number =>
  (memoryPlan(demand).rows.find((row) => row.of === of && row.what === what)?.bytes ?? 0) / 1e9;

describe('of Qwen3-8B with an adapter of rank 32, micro-batches of 8,192 tokens', () => {
  test('the trainer holds 16.4 GB of base, 1.4 of adapter, 2.4 of layer inputs, and 24 to 26.5 in all', () => {
    expect(gigabytes(eight, 'trainer', 'frozen base')).toBeCloseTo(16.4, 1);
    expect(gigabytes(eight, 'trainer', 'adapter')).toBeCloseTo(1.4, 1);
    expect(gigabytes(eight, 'trainer', 'layer inputs')).toBeCloseTo(2.4, 1);
    const total = memoryPlan(eight).trainerBytes / 1e9;
    expect(total).toBeGreaterThan(24);
    expect(total).toBeLessThan(26.5);
  });

  test('a server alone on the card keeps some 370,000 tokens, and at a share of 0.55 some 170,000: 85 contexts of 2,000', () => {
    const alone = memoryPlan({ ...eight, trainer: null });
    expect(alone.kvBytesPerToken).toBe(147_456);
    expect([alone.serverShare, Math.round(alone.kvTokens / 1e4)]).toEqual([0.92, 37]);
    const shared = memoryPlan({ ...eight, trainer: null, server: { ...server, share: 0.55 } });
    expect(Math.round(shared.kvTokens / 1e4)).toBe(17);
    expect(shared.contexts).toBeGreaterThan(75);
  });

  test('both fit on one card, the server with some 0.55 to 0.62 of it', () => {
    const plan = memoryPlan(eight);
    expect(plan.problem).toBeNull();
    expect(plan.serverShare).toBeGreaterThanOrEqual(0.55);
    expect(plan.serverShare).toBeLessThanOrEqual(0.62);
    expect(plan.hostBytes).toBe(0);
  });
});

describe('a plan', () => {
  test('that is coresident adds up to the card, whatever fits', () => {
    const demands = fc.record({
      facts: fc.constantFrom(...knownNames.map(known)),
      cardBytes: fc.integer({ min: 16, max: 288 }).map((size) => size * 2 ** 30),
      sharing: fc.constant('coresident' as const),
      server: fc.record({
        bytesPerWeight: fc.constant(2 as const),
        contextLength: fc.integer({ min: 256, max: 40_960 }),
        maxSequences: fc.integer({ min: 1, max: 1024 }),
        adapters: fc.integer({ min: 0, max: 6 }),
        rank: fc.constantFrom(8, 32, 128),
      }),
      trainer: fc.record({
        bytesPerWeight: fc.constantFrom(2 as const, 4 as const),
        adapter: fc.constantFrom(null, { rank: 16, targets }),
        reference: fc.boolean(),
        tokens: fc.integer({ min: 256, max: 40_960 }),
        checkpointing: fc.boolean(),
      }),
    });
    let fitting = 0;
    fc.assert(
      fc.property(demands, (demand) => {
        const plan = memoryPlan(demand);
        const total = plan.rows.reduce((sum, { bytes }) => sum + bytes, 0);
        if (plan.problem !== null) return;
        fitting++;
        expect(plan.kvTokens).toBeGreaterThanOrEqual(demand.server.contextLength);
        // The share is rounded down to a hundredth.
        expect(total).toBeLessThanOrEqual(demand.cardBytes);
        expect(total).toBeGreaterThan(demand.cardBytes * 0.989);
      }),
      { numRuns: 500, seed: 1 },
    );
    expect(fitting).toBeGreaterThan(50);
  });

  test('needs more on the way when more is computed at once, and never fits better for it', () => {
    const twice = memoryPlan({ ...eight, trainer: { ...trainer, tokens: 16_384 } });
    expect(twice.trainerBytes).toBeGreaterThan(memoryPlan(eight).trainerBytes + 4e9);
    expect(twice.kvTokens).toBeLessThan(memoryPlan(eight).kvTokens);
    expect(memoryPlan({ ...eight, trainer: { ...trainer, checkpointing: false } }).problem).toContain('the trainer needs');
  });

  test('of a card of 40 GB fits only in turns, the weights in host memory meanwhile', () => {
    const small = { ...eight, cardBytes: 40 * 2 ** 30 };
    expect(memoryPlan(small).problem).toContain('cache has room for 0 tokens');
    const turns = memoryPlan({ ...small, sharing: 'timesliced' });
    expect(turns.problem).toBeNull();
    expect(turns.hostBytes / 1e9).toBeCloseTo(16.4, 1);
    expect(turns.kvTokens).toBeGreaterThan(5000);
  });

  test('with a share that the trainer leaves no room for does not fit', () => {
    expect(memoryPlan({ ...eight, server: { ...server, share: 0.9 } }).problem).toContain('share of 0.9');
  });

  test('of all weights counts sixteen bytes each, and a base for the KL', () => {
    const whole = { ...eight, facts: known('Qwen/Qwen3-0.6B'), trainer: { ...trainer, adapter: null } };
    expect(gigabytes(whole, 'trainer', 'weights')).toBeCloseTo(0.596 * 16, 1);
    expect(gigabytes(whole, 'trainer', 'base for the KL')).toBeCloseTo(0.596 * 4, 1);
    expect(gigabytes({ ...whole, trainer: { ...whole.trainer, reference: false } }, 'trainer', 'base for the KL')).toBe(0);
  });
});

describe('what a config asks for', () => {
  const set = ['engine.kind=vllm', 'trainer.kind=torch', 'trainer.adapter=lora', 'policy.model=Qwen/Qwen3-8B'];
  const planned = (...more: string[]) => memoryPlanFor(readConfig({ set: [...set, ...more] }), eight.facts, 80 * 2 ** 30);

  test('is nothing without vLLM and torch, or on a CPU', () => {
    expect(memoryPlanFor(readConfig({}), eight.facts, 80e9)).toBeNull();
    expect(planned('trainer.torch.device=cpu')).toBeNull();
  });

  test('is a slot for each version that may answer and the one being loaded', () => {
    const slots = (staleness: number) =>
      planned(`rollout.staleness=${staleness}`, 'record.checkpoints.keep=9')?.rows.find(({ what }) => what === 'adapter slots')?.how;
    expect([slots(0), slots(2)]).toEqual(['2 of rank 32', '4 of rank 32']);
  });

  test('is a card for the trainer alone where servers run elsewhere', () => {
    expect(planned('engine.vllm.servers=["http://127.0.0.1:8000"]')?.serverShare).toBe(0.92);
    expect(planned('engine.vllm.env={"CUDA_VISIBLE_DEVICES": "1"}')?.serverShare).toBe(0.92);
    expect(planned()?.serverShare).toBeLessThan(0.92);
  });

  test('is one whole context in a micro-batch, however few tokens that should have', () => {
    const inputs = planned('rollout.contextLength=16384', 'trainer.microBatchTokens=100')?.rows.find(({ what }) => what === 'layer inputs');
    expect(inputs?.how).toContain('16384 tokens');
  });
});

describe('a dry run of configs/qwen3-8b-1gpu.yaml', () => {
  const config = resolve('configs/qwen3-8b-1gpu.yaml');
  // No card, no cache of models and no Python, whatever this machine has.
  const env = { PATH: '/nowhere', HF_HOME: join(root, 'none'), TROUPE_PYTHON: '', TROUPE_PYTHON_HOME: join(root, 'none') };

  test('prints the plan without model, card or Python, says what it assumed, and starts nothing', () => {
    const { code, out, err } = troupe([config, '--dry-run'], { cwd: root, env });
    expect([code, err]).toEqual([0, '']);
    for (const words of ['8.19 billion', 'hf download Qwen/Qwen3-8B', 'assumed', 'frozen base', 'key-value cache', '# fits'])
      expect(out).toContain(words);
  });

  test('prints the exact command of the server, as a shell takes it', () => {
    const out = troupe([config, '--dry-run'], { cwd: root, env }).out;
    const command = out.slice(out.indexOf('VLLM_ALLOW_RUNTIME_LORA_UPDATING')).replaceAll(/^# +/gm, '');
    // The shell itself says which words it would pass on: to a program that prints them, in place of the one that would start a server.
    const words = spawnSync('sh', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' }).stdout.split('\n');
    const after = (flag: string) => words[words.indexOf(flag) + 1];
    const python = words.indexOf('python');
    expect(words.slice(python, python + 5)).toEqual(['python', '-m', 'vllm.entrypoints.openai.api_server', '--model', 'Qwen/Qwen3-8B']);
    expect(words.slice(0, python).every((word) => /^[A-Z_]+=/.test(word))).toBe(true);
    expect(after('--max-model-len')).toBe('16384');
    expect(after('--max-lora-rank')).toBe('32');
    expect(after('--max-loras')).toBe('2');
    expect(after('--host')).toBe('127.0.0.1');
    expect(Number(after('--gpu-memory-utilization'))).toBeGreaterThan(0.5);
    expect(words).not.toContain('--enable-sleep-mode');
    expect(command).toMatch(/^VLLM_ALLOW_RUNTIME_LORA_UPDATING=1 /);
  });

  test('plans the same share and slots for the server that its command asks for', () => {
    const data = troupe([config, '--dry-run', '--json', '--set', 'rollout.staleness=1'], { cwd: root, env }).out;
    const { accelerator } = (JSON.parse(data) as { plan: { accelerator: { memory: MemoryPlan; server: { command: string[] } } } }).plan;
    const { command } = accelerator.server;
    const after = (flag: string) => command[command.indexOf(flag) + 1];
    expect(after('--gpu-memory-utilization')).toBe(String(accelerator.memory.serverShare));
    expect(accelerator.memory.rows.find(({ what }) => what === 'adapter slots')?.how).toBe(
      `${after('--max-loras')} of rank ${after('--max-lora-rank')}`,
    );
  });

  test('gives the plan as data', () => {
    const { plan } = JSON.parse(troupe([config, '--dry-run', '--json', '--gpu', '80'], { cwd: root, env }).out) as {
      plan: { accelerator: { parameters: number; here: boolean; memory: { problem: null; kvTokens: number } } };
    };
    expect(plan.accelerator).toMatchObject({ parameters: 8_190_735_360, here: false, memory: { problem: null } });
    expect(plan.accelerator.memory.kvTokens).toBeGreaterThan(16_384);
  });

  test('says what to change where it does not fit, each of which makes it fit', () => {
    const { out } = troupe([config, '--dry-run', '--gpu', '48'], { cwd: root, env });
    expect(out).toContain('does not fit');
    expect(out).toContain('trainer.torch.sharing: timesliced');
    const changed = troupe([config, '--dry-run', '--gpu', '48', '--set', 'trainer.torch.sharing=timesliced'], { cwd: root, env });
    expect(changed.out).toContain('# fits');
    expect(changed.out).toContain('while the server sleeps');
    expect(changed.out).toContain('--enable-sleep-mode');
  });

  test('refuses a card of no size, and a model nobody knows', () => {
    expect(troupe([config, '--dry-run', '--gpu', '0'], { cwd: root, env })).toMatchObject({ code: 2 });
    const unknown = troupe([config, '--dry-run', '--set', 'policy.model=someone/something'], { cwd: root, env });
    expect(unknown).toMatchObject({ code: 2, err: expect.stringContaining('hf download someone/something') as string });
    expect(unknown.err).toContain('Qwen/Qwen3-8B');
  });

  test('without --dry-run says how to get the model, and makes no run', () => {
    const { code, err } = troupe([config], { cwd: root, env });
    expect(code).toBe(2);
    expect(err).toContain('hf download Qwen/Qwen3-8B');
  });
});

describe('a model by name', () => {
  const cache = join(root, 'hub');
  const snapshot = (revision: string, complete: boolean): string => {
    const dir = join(cache, 'models--Qwen--Qwen3-8B', 'snapshots', revision);
    mkdirSync(dir, { recursive: true });
    if (complete) writeFileSync(join(dir, 'config.json'), '{}');
    return dir;
  };
  const model = (env: Record<string, string>): string => readConfig({ set: ['policy.model=Qwen/Qwen3-8B'], env }).policy.model;

  test('is the snapshot that the cache calls main, else one that has a config, else still a name', () => {
    const env = { HF_HUB_CACHE: cache, HF_HOME: join(root, 'elsewhere') };
    expect(model(env)).toBe('Qwen/Qwen3-8B');
    snapshot('aaa', false);
    expect(model(env)).toBe('Qwen/Qwen3-8B');
    const some = snapshot('bbb', true);
    expect(model(env)).toBe(some);
    const main = snapshot('ccc', true);
    mkdirSync(join(cache, 'models--Qwen--Qwen3-8B', 'refs'));
    writeFileSync(join(cache, 'models--Qwen--Qwen3-8B', 'refs', 'main'), 'bbb');
    expect(model(env)).toBe(some);
    writeFileSync(join(cache, 'models--Qwen--Qwen3-8B', 'refs', 'main'), 'ccc\n');
    expect(model(env)).toBe(main);
    expect(model({ HF_HOME: root })).toBe(main);
  });

  test('is a path where its first folder is here', () => {
    expect(readConfig({ set: ['policy.model=models/none'], env: { HF_HUB_CACHE: cache } }).policy.model).toBe(resolve('models/none'));
  });
});

describe('the cards of this machine', () => {
  const script = (name: string, body: string): string => {
    const path = join(root, name);
    writeFileSync(path, `#!/bin/sh\n${body}\n`);
    chmodSync(path, 0o755);
    return path;
  };

  test('are those that nvidia-smi names, in bytes', async () => {
    const says = script('smi', "printf 'NVIDIA H100 80GB HBM3, 81559, 81079\\nNVIDIA H100 80GB HBM3, 81559, 1\\n'");
    expect(await readCards(says)).toEqual([
      { name: 'NVIDIA H100 80GB HBM3', bytes: 81_559 * 2 ** 20, freeBytes: 81_079 * 2 ** 20 },
      { name: 'NVIDIA H100 80GB HBM3', bytes: 81_559 * 2 ** 20, freeBytes: 2 ** 20 },
    ]);
  });

  test('are none where it is missing, fails, or says something else', async () => {
    expect(await readCards(join(root, 'not-there'))).toEqual([]);
    expect(await readCards(script('fails', 'echo "No devices were found"; exit 6'))).toEqual([]);
    expect(await readCards(script('odd', 'echo "<html>, many, none"'))).toEqual([]);
  });
});
