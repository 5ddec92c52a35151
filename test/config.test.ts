/** Reading configs: what is written wins over defaults, and what is wrong is told with its place, its range and what was meant. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { commentedConfig } from '../src/cli/init.ts';
import { allKeys, entryOf, nearestKey } from '../src/cli/settings/manual.ts';
import { changeConfig, readConfig } from '../src/cli/settings/read.ts';
import { parseSource } from '../src/cli/settings/source.ts';
import { Config, configOf } from '../src/config.ts';
import { ConfigFault } from '../src/errors.ts';

const root = mkdtempSync(join(tmpdir(), 'troupe-config-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let files = 0;
const written = (text: string): string => {
  const file = join(root, `${files++}.yaml`);
  writeFileSync(file, text);
  return file;
};
const complaint = (text: string, set: string[] = []): string => {
  try {
    readConfig({ file: written(text), set });
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigFault);
    return (error as Error).message.replaceAll(/\/\S*\/(\d+\.yaml)/g, 'x.yaml');
  }
  return 'no complaint';
};

describe('a config', () => {
  test('stands at TRUSTEE’s numbers where nothing is written', () => {
    const { trainer, rollout, curriculum, steps } = configOf();
    expect(trainer).toMatchObject({ objective: 'grpo', learningRate: 1e-6, clipLow: 0.2, clipHigh: 0.2, kl: 0.001, std: true, epochs: 1 });
    expect(rollout).toMatchObject({ tasks: 16, group: 8, staleness: 0, temperature: 1 });
    expect(curriculum).toEqual({ mode: 'adaptive', start: 1, delta: 3, lower: 0, upper: 0.5, soft: 0.5, easyShare: 0 });
    expect(steps).toBe(200);
  });

  test('takes --set over TROUPE_SET over the file over the default', () => {
    const file = written('steps: 3\nseed: 3\nname: a\n');
    const config = readConfig({ file, set: ['steps=5'], env: { TROUPE_SET: 'steps=4; seed=4' } });
    expect([config.steps, config.seed, config.name, config.rollout.group]).toEqual([5, 4, 'a', 8]);
  });

  test('reads the value of --set as YAML does', () => {
    const set = ['trainer.learningRate=3e-4', 'eval.levels=[5, 50]', 'engine.deterministic=true', 'eval.at=[]'];
    const config = readConfig({ set });
    expect([config.trainer.learningRate, config.eval.levels, config.engine.deterministic, config.eval.at]).toEqual([
      3e-4,
      [5, 50],
      true,
      [],
    ]);
  });

  test('may be empty', () => {
    expect(readConfig({ file: written('') }).steps).toBe(200);
    expect(readConfig({ file: written('# nothing\n') }).steps).toBe(200);
  });

  test('round-trips: what is resolved resolves to itself', () => {
    const config = readConfig({ set: ['rollout.group=4', 'budget.minutes=5'] });
    expect(Config.parse(JSON.parse(JSON.stringify(config)))).toEqual(config);
    expect(changeConfig(config, ['steps=7'])).toEqual({ ...config, steps: 7 });
  });
});

describe('a complaint', () => {
  test.each<[string, string, string]>([
    ['an unknown key', 'rollout:\n  groop: 4\n', 'x.yaml:2:3: unknown key "rollout.groop"; did you mean "rollout.group"?'],
    ['a key at the wrong place', 'learningRate: 1\n', 'x.yaml:1:1: unknown key "learningRate"; did you mean "trainer.learningRate"?'],
    ['a key nobody knows', 'zzzzzz: 1\n', 'x.yaml:1:1: unknown key "zzzzzz"; config explain lists all keys'],
    ['a wrong type', 'steps: many\n', 'x.yaml:1:1: steps: "many" is not allowed; expected a whole number of at least 0'],
    [
      'a negative group',
      'a: &a\nrollout:\n  group: -8\n',
      'x.yaml:3:3: rollout.group: -8 is not allowed; expected a whole number from 2 to 1024',
    ],
    [
      'a fraction of a task',
      'rollout: {tasks: 1.5}\n',
      'x.yaml:1:11: rollout.tasks: 1.5 is not allowed; expected a whole number from 1 to 65536',
    ],
    [
      'a misspelt choice',
      'trainer: {objective: grop}\n',
      'x.yaml:1:11: trainer.objective: "grop" is not allowed; expected one of grpo, cispo; did you mean "grpo"?',
    ],
    ['a value in a list', 'eval:\n  levels:\n    - 5\n    - 500\n', 'x.yaml:4:7: eval.levels.3: 500'.replace('.3', '.1')],
    [
      'two settings that contradict each other',
      'rollout: {group: 2, minimumScored: 4}\n',
      'x.yaml:1:21: rollout.minimumScored: must not exceed rollout.group (2)',
    ],
    [
      'steps rolled ahead on an accelerator that is the trainer’s meanwhile',
      'engine: {kind: vllm}\ntrainer: {kind: torch, adapter: lora, torch: {sharing: timesliced}}\nrollout: {staleness: 1}\n',
      'x.yaml:3:11: rollout.staleness: the server sleeps while the trainer steps, so nothing is rolled out meanwhile',
    ],
    [
      'something of a later version',
      'trainer: {kind: tinker}\n',
      'x.yaml:1:11: trainer.kind: tinker is not part of this version; use torch or embedded',
    ],
    ['a group of keys where a value stands', 'rollout: 3\n', 'x.yaml:1:1: rollout: 3 is not allowed; expected keys and values'],
  ])('about %s names the place, the range and what was meant', (_name, text, expected) => {
    expect(complaint(text)).toContain(expected);
  });

  test('about --set names the assignment', () => {
    expect(complaint('', ['rollout.group=-1'])).toBe(
      '--set rollout.group=-1: rollout.group: -1 is not allowed; expected a whole number from 2 to 1024',
    );
    expect(complaint('', ['rollout'])).toContain('expected key=value');
  });

  test('is made for everything that is wrong, at once', () => {
    expect(complaint('steps: x\nseeds: 1\nrollout: {group: 1}\n').split('\n')).toHaveLength(3);
  });

  test('about YAML has a line and a column', () => {
    expect(complaint('steps: [1, 2\nname: x\n')).toMatch(/^x\.yaml:2:\d+: /);
    expect(complaint('steps: 1\nsteps: 2\n')).toMatch(/^x\.yaml:2:1: .*unique/);
    expect(complaint('steps: !!js/function "x"\n')).toMatch(/^x\.yaml:1:8: .*tag/);
    expect(complaint('- a\n')).toContain('expected keys and values');
    expect(complaint('\u0000')).toContain('x.yaml');
  });

  test('never comes as anything but a ConfigFault, whatever the file holds', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        try {
          readConfig({ file: written(text) });
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigFault);
        }
      }),
      { numRuns: 300 },
    );
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test('a YAML bomb is refused within 200 ms and 50 MB', () => {
    const levels = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array.from({ length: 9 }, () => `*l${i}`).join(',')}]`);
    const bomb = `l0: &l0 ha\n${levels.join('\n')}\n`;
    const [cpu, rss] = [process.cpuUsage(), process.memoryUsage().rss];
    expect(complaint(bomb)).toMatch(/alias/i);
    // CPU time: wall time on a shared machine measures the others. The first call of a fresh process also compiles the parser.
    expect(process.cpuUsage(cpu).user / 1000).toBeLessThan(200);
    expect(process.memoryUsage().rss - rss).toBeLessThan(50 * 1024 * 1024);
  });

  test('a hostile key changes no prototype', () => {
    expect(complaint('__proto__: {polluted: true}\n')).toContain('unknown key "__proto__"');
    expect(complaint('', ['__proto__.polluted=true'])).not.toBe('no complaint');
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe('the manual', () => {
  test('has a meaning for every key', () => {
    const keys = allKeys();
    expect(keys.length).toBeGreaterThan(90);
    expect(keys.filter((key) => (entryOf(key)?.meaning ?? '').length < 10)).toEqual([]);
  });

  test('finds any key with one letter wrong', () => {
    fc.assert(
      fc.property(fc.constantFrom(...allKeys().filter((key) => (key.split('.').at(-1) ?? '').length > 5)), fc.nat(), (key, at) => {
        const start = key.lastIndexOf('.') + 1;
        const i = start + (at % (key.length - start));
        const wrong = `${key.slice(0, i)}q${key.slice(i + 1)}`;
        expect(nearestKey(wrong)).not.toBeNull();
      }),
    );
  });

  test('writes a commented config that resolves to the defaults', () => {
    const text = commentedConfig();
    expect(Config.parse(parse(text))).toEqual(configOf());
    expect(parseSource(text, 'init').value).toHaveProperty('rollout');
    for (const key of allKeys()) expect(text).toContain(`${key.split('.').at(-1)}:`);
  });
});
