/** Which config is played in place of one whose model is not here, and what is said of it. */
import { expect, test } from 'vitest';
import { lacksModel, playable, policySpecOf, standInBase } from '../src/actors/stand-in.ts';
import { configOf } from '../src/config.ts';

const lora = { kind: 'torch', adapter: 'lora' } as const;
const absent = { model: 'Nobody/NoModel-8B' };

test('a fake server needs no model: bytes stand in, lengths are as many bytes, and the trainer counts', () => {
  const config = configOf({ engine: { kind: 'fake' }, policy: absent, trainer: lora, rollout: { contextLength: 1000, maxTokens: 100 } });
  const { config: played, notes } = playable(config);
  expect(played).toMatchObject({ trainer: { kind: 'scripted', adapter: 'none' }, rollout: { contextLength: 4000, maxTokens: 400 } });
  expect(notes).toHaveLength(2);
  expect(policySpecOf(played)).toEqual({ kind: 'bytes' });
  expect(standInBase(played)).toMatchObject({ contextLength: 4000, weights: { version: 0 } });
});

test('of a real engine nothing is replaced, be its model here or not', () => {
  const config = configOf({ engine: { kind: 'vllm' }, policy: absent, trainer: lora });
  expect(lacksModel(config)).toBe(false);
  expect(playable(config)).toEqual({ config, notes: [] });
});

test('a model that is here is spoken to in its own tokens', () => {
  const config = configOf({ engine: { kind: 'fake' }, trainer: { kind: 'scripted' } });
  expect(playable(config)).toEqual({ config, notes: [] });
  expect(policySpecOf(config).kind).toBe('tiny');
});

test('roles spoken to in words are said to be noise to a fake server', () => {
  const roles = { task: 'lm', user: 'lm', tool: 'lm', judge: 'lm' } as const;
  const config = configOf({ engine: { kind: 'fake' }, trainer: { kind: 'scripted' }, roles });
  expect(playable(config).notes).toEqual([expect.stringContaining('simulation.dialect prose')]);
  expect(
    playable(configOf({ engine: { kind: 'fake' }, trainer: { kind: 'scripted' }, roles, simulation: { dialect: 'prose' } })).notes,
  ).toEqual([]);
});
