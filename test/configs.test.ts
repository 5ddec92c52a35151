/** The configs we ship: each is read, each says why it differs from the paper, and the paper's own is the paper's. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../src/cli/settings/read.ts';
import { readSource } from '../src/cli/settings/source.ts';
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

test('trustee.yaml changes nothing but the name', () => {
  const { policy: _policy, ...written } = readConfig({ file: 'configs/trustee.yaml' });
  const { policy: _default, ...defaults } = configOf({ name: 'trustee' });
  expect(written).toEqual(defaults);
  expect(Object.keys(readSource('configs/trustee.yaml').value)).toContain('curriculum');
});

test('the ablations differ from each other in the curriculum only', () => {
  const rest = files
    .filter((file) => file.startsWith('configs/ablation/'))
    .map((file) => readConfig({ file }))
    .map(({ name: _name, curriculum: _curriculum, ...others }) => JSON.stringify(others));
  expect(new Set(rest).size).toBe(1);
});
