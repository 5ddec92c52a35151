// node python/parity/dump.mjs OUT [MODEL…] – writes what our engine computes, for compare.py to compute again: model directories, log-probs, token ids, one GRPO step.
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createCore } from '../../dist/gpu/engines/embedded/core.js';
import { gaussian } from '../../dist/gpu/engines/embedded/gaussian.js';
import { initialise, tinyShape } from '../../dist/gpu/engines/embedded/initialise.js';
import { packSequences } from '../../dist/gpu/engines/embedded/packed-rows.js';
import { encodeSafetensors } from '../../dist/gpu/safetensors.js';
import { openAiMessages, openAiTools } from '../../dist/gpu/tokens/messages.js';
import { tinyRenderer } from '../../dist/gpu/tokens/tiny.js';
import { vocabularyOf } from '../../dist/gpu/tokens/vocabulary.js';
import { packBatch } from '../../dist/gpu/trainers/embedded/pack.js';
import { readModel, writeModel } from '../../dist/gpu/weights.js';
import { evaluateObjective } from '../../dist/learning/objective.js';
import { seedOf, stream } from '../../dist/random.js';
import { lexicon } from '../../dist/simulation/procedural/lexicon.js';
import { conversation, episode, rendered } from './conversations.mjs';

const [out, ...trained] = process.argv.slice(2);
if (out === undefined) throw new Error('usage: node python/parity/dump.mjs OUT [MODEL…]');
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

const vocabulary = vocabularyOf(lexicon);
const renderer = tinyRenderer(vocabulary);
const shape = tinyShape(vocabulary.words.length);
const core = (deterministic, threads = 1) => createCore({ shape, threads, deterministic, arenaMB: 192, cacheMB: 64 });
const vector = (data) => ({ shape: [data.length], data });
const json = (name, value) => writeFileSync(join(out, name), JSON.stringify(value));

/** The given weights, each moved by normal noise of a hundredth of its tensor's size: a policy some steps away from `tensors`. */
function moved(tensors, seed, share) {
  const draw = gaussian(stream(seedOf('moved', seed)));
  const one = (data) => {
    const size = Math.sqrt(data.reduce((sum, x) => sum + x * x, 0) / data.length);
    return data.map((x) => x + share * size * draw());
  };
  return new Map([...tensors].map(([name, data]) => [name, one(data)]));
}

// Model directories: fresh weights, weights some steps away from them, and those named on the command line.
const fresh = { shape, vocabulary, ...initialise(shape, 1) };
const policy = { ...fresh, tensors: moved(fresh.tensors, 2, 0.01) };
writeModel(join(out, 'models/fresh'), 0, fresh);
writeModel(join(out, 'models/policy'), 1, policy);
for (const dir of trained) cpSync(dir, join(out, 'models', basename(dir)), { recursive: true });
const names = ['fresh', 'policy', ...trained.map((dir) => basename(dir))];

// Conversations: ids by our renderer, messages and tools for the chat template. 200 episodes and 100 that are hostile.
const episodes = Array.from({ length: 200 }, (_, i) => episode(i));
const conversations = [...episodes, ...Array.from({ length: 100 }, (_, i) => conversation(i, 0.2))];
json(
  'conversations.json',
  conversations.map((one) => {
    const { ids } = rendered(renderer, one);
    const text = renderer.text(Int32Array.from(ids));
    const prompt = [...renderer.open(one.task)];
    return { tools: openAiTools(one.task.tools), messages: openAiMessages(one.task, one.turns), ids, prompt, text };
  }),
);

// Log-probs of every token of 25 episodes, and of tokens sampled through the key-value cache, by both kernel builds.
const sequences = episodes.filter((_, i) => i % 8 === 0).map((one) => rendered(renderer, one).ids);
json('sequences.json', sequences);
for (const name of names) {
  const { tensors } = readModel(join(out, 'models', name));
  const scores = {};
  for (const build of ['relaxed', 'plain']) {
    const engine = core(build === 'plain');
    engine.load(tensors);
    const [forward] = engine.forward([packSequences(sequences)]);
    scores[`${engine.variant}.forward`] = vector(forward.logprobs);
    const asked = sequences.map((ids) => ({
      ids: Int32Array.from(ids.slice(0, 20)),
      n: 1,
      seeds: [9],
      stop: [],
      maxTokens: 24,
      temperature: 1,
    }));
    const samples = engine.sample(asked).map(([sample]) => sample);
    scores[`${engine.variant}.sampled`] = vector(Float32Array.from(samples.flatMap((sample) => [...sample.logprobs])));
    json(
      `${name}.${engine.variant}.samples.json`,
      samples.map((sample, i) => [...sequences[i].slice(0, 20), ...sample.ids]),
    );
    engine.close();
  }
  writeFileSync(join(out, `${name}.scores.safetensors`), encodeSafetensors(new Map(Object.entries(scores))));
}

// One GRPO step: groups of four that share their prompt, ratios on both sides of the clip, a base that differs from the policy, frozen rows, a binding gradient clip.
const objective = { kind: 'grpo', clipLow: 0.2, clipHigh: 0.28, kl: 0.01 };
const optim = { kind: 'adamw', lr: 1e-3, beta1: 0.9, beta2: 0.95, weightDecay: 0.1, clip: 0.05 };
const chance = stream(seedOf('grpo'));
const engine = core(false, 2);
engine.load(policy.tensors);
engine.freeze(policy.frozen);
const samples = Array.from({ length: 6 }, (_, g) => {
  const { task } = episode(500 + 10 * g);
  return Array.from({ length: 4 }, (_unused, member) => {
    // Members differ, as sampled ones would: each says what was right in another task.
    const { ids, sampled } = rendered(renderer, { task, turns: episode(600 + 4 * g + member).turns });
    return {
      group: `g${g}`,
      ids: Int32Array.from(ids),
      sampled: Uint8Array.from(sampled),
      logprobs: new Float32Array(ids.length),
      advantage: 2 * chance.next() - 1,
    };
  });
}).flat();
const denominator = samples.reduce((sum, sample) => sum + sample.sampled.reduce((a, b) => a + b, 0), 0);
const unscored = packBatch({ samples, denominator }, 1024);
const now = engine.forward(unscored.shards).flatMap(({ logprobs }) => [...logprobs]);
// The sampler's log-probs: ours plus a gap that puts the ratio inside, above or below the clip, never at its edge.
let at = 0;
for (const sample of samples)
  for (const [i, mark] of sample.sampled.entries()) if (mark === 1) sample.logprobs[i] = now[at++] + chance.pick([0, 0.1, -0.1, 0.5, -0.5]);
const batch = packBatch({ samples, denominator }, 1024);
const base = core(false);
base.load(fresh.tensors);
const reference = Float32Array.from(base.forward(batch.shards).flatMap(({ logprobs }) => [...logprobs]));
base.close();
const starts = new Map();
let start = 0;
for (const [index, shard] of batch.shards.entries()) {
  starts.set(start, index);
  start += shard.targets.ids.length;
}
let loss = 0;
engine.forwardBackward(batch.shards, ({ from, to }, logprobs, entropy) => {
  const cut = (list) => list.subarray(from, to);
  const tokens = {
    logprobs,
    entropy,
    behaviour: cut(batch.behaviour),
    advantages: cut(batch.advantages),
    reference: cut(reference),
    bounds: batch.bounds[starts.get(from)],
    denominator,
  };
  const { gradient, sums } = evaluateObjective(objective, tokens);
  loss += sums.loss;
  return gradient;
});
const gradients = new Map([...engine.gradients()].map(([name, data]) => [`gradient.${name}`, vector(data.slice())]));
const { gradNorm } = engine.optimStep(optim);
const weights = [...engine.tensors()].map(([name, data]) => [`weight.${name}`, vector(data.slice())]);
engine.close();
writeFileSync(join(out, 'grpo.safetensors'), encodeSafetensors(new Map([...gradients, ...weights])));
json('grpo.json', {
  objective,
  optim,
  denominator,
  loss,
  gradNorm,
  frozen: policy.frozen,
  shards: batch.shards.length,
  samples: samples.map(({ ids, sampled, logprobs, advantage }) => ({
    ids: [...ids],
    sampled: [...sampled],
    logprobs: [...logprobs],
    advantage,
  })),
});
json('manifest.json', { models: names });
