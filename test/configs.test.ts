/** The configs we ship: each is read, each says why it differs from the paper, and the paper's own is the paper's. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../src/cli/settings/read.ts';
import { configOf } from '../src/config.ts';
import { troupe } from './support/command-line.ts';

const files = readdirSync('configs', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => `configs/${name}`)
  .toSorted();

test('there are configs to read', () => {
  expect(files).toEqual(expect.arrayContaining(['configs/quickstart.yaml', 'configs/trustee.yaml', 'configs/base.yaml']));
  expect(files.filter((file) => file.startsWith('configs/ablation/')).length).toBeGreaterThanOrEqual(4);
});

describe.each(files)('%s', (file) => {
  test('is read without a complaint', () => {
    expect(readConfig({ file }).name).toMatch(/^[a-z]/);
  });

  test('begins by saying what it is for', () => {
    expect(readFileSync(file, 'utf8')).toMatch(/^# [A-Z]/);
  });

  test('names in its header the command that runs it, and that command takes it', () => {
    const [, command = ''] = /^#\s+node dist\/run\.js (.*)$/m.exec(readFileSync(file, 'utf8').split(/^\w/m)[0] as string) ?? [];
    expect(command.split(' ')).toContain(file);
    expect(troupe([...command.split(' '), '--dry-run'], { cwd: '.' })).toMatchObject({ code: 0, err: '' });
  });

  test('gives a reason beside a learning rate or a share of easy tasks that is not the paper’s', () => {
    const config = readConfig({ file });
    const lines = readFileSync(file, 'utf8').split('\n');
    const defaults = configOf();
    const reasoned = (key: string): boolean => lines.some((line) => line.includes(`${key}:`) && /#\s*\S/.test(line));
    if (config.trainer.learningRate !== defaults.trainer.learningRate) expect(reasoned('learningRate')).toBe(true);
    if (config.curriculum.easyShare !== defaults.curriculum.easyShare && config.curriculum.mode === 'adaptive')
      expect(reasoned('easyShare') || file.includes('ablation')).toBe(true);
  });
});

test('trustee.yaml has the paper’s numbers, each said aloud', () => {
  const { policy, roles, steps, trainer, rollout, curriculum } = readConfig({ file: 'configs/trustee.yaml' });
  expect({ policy, roles, steps, trainer, rollout, curriculum }).toMatchObject({
    policy: { model: 'Qwen/Qwen3-8B' },
    roles: { task: 'lm', user: 'lm', tool: 'lm', judge: 'lm' },
    steps: 200,
    trainer: { objective: 'grpo', learningRate: 1e-6, clipLow: 0.2, clipHigh: 0.2, kl: 0.001, std: true },
    rollout: { tasks: 16, group: 8, staleness: 0 },
    curriculum: { mode: 'adaptive', start: 1, delta: 3, lower: 0, upper: 0.5, soft: 0.5, easyShare: 0 },
  });
  const text = readFileSync('configs/trustee.yaml', 'utf8');
  const marked = text.split('\n').filter((line) => /^\s*\w+:.*# paper/.test(line));
  expect(marked.length).toBeGreaterThanOrEqual(18);
});

test('the ablations differ from each other in the curriculum only', () => {
  const rest = files
    .filter((file) => file.startsWith('configs/ablation/'))
    .map((file) => readConfig({ file }))
    .map(({ name: _name, curriculum: _curriculum, ...others }) => JSON.stringify(others));
  expect(new Set(rest).size).toBe(1);
});
