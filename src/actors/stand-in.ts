/**
 * A fake server has no model, so a config's model need not be on this machine to be played through: bytes stand in for its tokens, a trainer that counts for the one that learns.
 * Decides from the config and the disk alone; of a real engine nothing is ever replaced.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { BaseModel } from '../gpu/base-model.ts';
import type { ModelFacts } from '../gpu/model-facts.ts';
import { byteEnd, bytesPerToken, byteVocabulary } from '../gpu/tokens/bytes.ts';
import { type RendererSpec, rendererSpecOf } from '../gpu/tokens/spec.ts';
import type { PolicyVersion } from '../protocol/ids.ts';

/** Whether a run of this config is played without the policy it names. */
export const lacksModel = ({ engine, policy }: Config): boolean => engine.kind === 'fake' && !existsSync(join(policy.model, 'config.json'));

/** The config as it can be played here, and what a person should know of it; the same config where nothing is missing. */
export function playable(config: Config): { readonly config: Config; readonly notes: readonly string[] } {
  if (!lacksModel(config)) return { config, notes: isDeaf(config) ? [deafness] : [] };
  const { policy, trainer, rollout } = config;
  const changed: Config = {
    ...config,
    trainer: { ...trainer, kind: 'scripted', adapter: 'none' },
    rollout: { ...rollout, contextLength: rollout.contextLength * bytesPerToken, maxTokens: rollout.maxTokens * bytesPerToken },
  };
  return {
    config: changed,
    notes: [
      `${policy.model} is not on this machine, and a fake server needs no model: bytes stand in for its tokens (rollout.contextLength and rollout.maxTokens count ${bytesPerToken} of them for one), a script says what it would`,
      ...(config.steps > 0 && trainer.kind !== 'scripted'
        ? [`trainer.kind ${trainer.kind} would train that model; here steps are counted, and nothing is learnt`]
        : []),
    ],
  };
}

/** A fake server's brain reads prose; the tiny model's words are noise to it. */
const isDeaf = (config: Config): boolean =>
  config.engine.kind === 'fake' &&
  Object.values(config.roles).includes('lm') &&
  (config.simulation.dialect === 'words' || (config.simulation.dialect === 'auto' && policySpecOf(config).kind === 'tiny'));
const deafness =
  'a fake server plays the roles of prompts in prose, and answers those in words with noise: take simulation.dialect prose, and a policy.model whose context holds such prompts (one that is not on this machine will do)';

/** What stands where the model's own facts would. */
export function standInBase({ policy, rollout }: Config): BaseModel {
  const facts: ModelFacts = {
    family: 'bytes',
    hidden: 1,
    layers: 1,
    heads: 1,
    kvHeads: 1,
    headDim: 1,
    intermediate: 1,
    vocab: byteVocabulary,
    tied: true,
    maxPositions: rollout.contextLength,
    dtype: null,
    end: [byteEnd],
    biases: { queryKeyValue: false, output: false, mlp: false },
    headNorms: false,
  };
  return {
    dir: policy.model,
    facts,
    weights: { version: 0 as PolicyVersion, kind: 'full', dir: policy.model, sha256: '' },
    vocabularySize: byteVocabulary,
    contextLength: rollout.contextLength,
  };
}

/** How the policy is spoken to. */
export const policySpecOf = (config: Config): RendererSpec =>
  lacksModel(config) ? { kind: 'bytes' } : rendererSpecOf(config.policy.model, config.policy);
