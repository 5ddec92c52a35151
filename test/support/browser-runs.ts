/** Runs for the browser to show, made by the program itself: one where all goes well, one whose simulators fail, one that was killed and taken up again. Knows configs, not pages. */
import { join, resolve } from 'node:path';
import type { ConfigInput } from '../../src/config.ts';
import { start, survive } from './runs.ts';

/** As a config says, with these settings, in `<root>/runs`. */
async function play(root: string, config: string, settings: Readonly<Record<string, string | number>>): Promise<void> {
  const sets = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  const { code, err } = await start([resolve('configs', config), '--quiet', ...sets], root, { HF_HOME: join(root, 'hub') }).ended;
  if (code !== 0) throw new Error(`${config} ended with ${code}:\n${err}`);
}

/** Language models play all roles, badly: replies that cannot be read, that contradict the world, that try to break out; what is not repaired is lost. */
const faulty = {
  name: 'faulty',
  'engine.kind': 'fake',
  'engine.scripted.skill': 0.7,
  'engine.fake.brain.malformed': 0.3,
  'engine.fake.brain.inconsistent': 0.1,
  'engine.fake.brain.hostile': 0.1,
  'rollout.askAttempts': 2,
  'rollout.tasks': 6,
  'rollout.group': 4,
  'rollout.losses.step': 1,
  'rollout.losses.window': 1,
  'eval.at': '[]',
  steps: 2,
};

const resumed: ConfigInput = {
  name: 'resumed',
  seed: 3,
  steps: 4,
  engine: { kind: 'scripted', scripted: { skill: 0.8, latencyMs: 5 } },
  trainer: { kind: 'scripted', learningRate: 0.01 },
  rollout: { tasks: 4, group: 4 },
  eval: { at: [] },
};

/** Into `<root>/runs`: `smoke`, `smoke-2` (another seed, to compare with), `faulty`, `resumed`. */
export async function recordRuns(root: string): Promise<void> {
  const sound = async (): Promise<void> => {
    await play(root, 'smoke.yaml', {});
    await play(root, 'smoke.yaml', { name: 'smoke-2', seed: 2, 'engine.scripted.skill': 0.6, steps: 5 });
  };
  const hurt = async (): Promise<void> => {
    await play(root, 'trustee.yaml', faulty);
    const kills = await survive(resumed, root, [{ kind: 'writing', step: 's00002' }]);
    if (kills !== 1) throw new Error('the run that should have been killed was not');
  };
  await Promise.all([sound(), hurt()]);
}
