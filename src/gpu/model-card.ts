/** The README.md of a model directory: what the model is, how it was made, what it can do. Knows figures it is given; measures nothing. */
import { type ModelShape, parametersOf } from './engines/embedded/shape.ts';

/** One row of the examination. */
interface CardLevel {
  readonly difficulty: number;
  /** Share of held-out teacher episodes in which it gives every teacher token more than even odds. */
  readonly exact: number;
  readonly lessons: number;
  /** A simulated role whose replies these are; absent: episodes. */
  readonly role?: string;
}

/** Everything a reader needs to make the model again and to check that it is the same. */
export interface CardFacts {
  readonly name: string;
  readonly shape: ModelShape;
  readonly words: number;
  /** The command and the config file that made it. */
  readonly command: string;
  readonly config: string;
  /** The model that training began from; absent: weights made for it. */
  readonly start?: string;
  readonly seed: number;
  readonly steps: number;
  /** Read and trained, prompts included. */
  readonly tokens: number;
  readonly seconds: number;
  readonly machine: string;
  /** sha256 of what it was taught, and of model.safetensors. */
  readonly dataHash: string;
  readonly weightsHash: string;
  /** Nats per trained token of the first steps: the same recipe and seed give these bit for bit. */
  readonly firstLosses: readonly number[];
  readonly evaluation: readonly CardLevel[];
}

export function modelCard(facts: CardFacts): string {
  const { shape } = facts;
  const parameters = parametersOf(shape).floats;
  const rows = (of: readonly CardLevel[]): string =>
    of
      .map(
        ({ difficulty, exact, lessons, role }) =>
          `| ${role === undefined ? '' : `${role} | `}${difficulty} | ${exact.toFixed(3)} | ${lessons} |`,
      )
      .join('\n');
  const roles = facts.evaluation.filter(({ role }) => role !== undefined);
  return `---
license: mit
library_name: transformers
pipeline_tag: text-generation
tags: [tool-calling, tiny, qwen3]
---
# ${facts.name}

A tool-calling policy of ${(parameters / 1e6).toFixed(2)} million parameters for Troupe's simulated world: it reads a list of tools and a request, and calls, asks, answers or
declines.${roles.length === 0 ? '' : ' It also plays the simulated roles around that policy: writer of tasks, user, tools and judge, in words of its own vocabulary.'} It is a starting point for reinforcement learning, left with room to improve on purpose. It knows ${facts.words} words and nothing of the real world.

- Architecture: Qwen3 (\`Qwen3ForCausalLM\`, unchanged): ${shape.layers} layers, hidden ${shape.hidden}, ${shape.heads} query and ${shape.kvHeads} key-value heads of ${shape.headDim}, feed-forward ${shape.intermediate}, RoPE base ${shape.ropeTheta}, ${shape.tied ? 'tied' : 'separate'} head, float32.
- Tokenizer: one word a token, in \`tokenizer.json\`. Chat template: in \`tokenizer_config.json\`, rendered from OpenAI-form messages and tools.
- Loads in transformers and in any server that serves Qwen3; \`npm run parity\` checks log-probs against transformers.

## How it was made
\`\`\`
${facts.command}
\`\`\`
Supervised imitation of the procedural oracle (\`${facts.config}\`), from ${facts.start === undefined ? 'weights in which two heads of the first layer look one and two tokens back and four heads of the second\nmatch and copy' : `\`${facts.start}\``}; the position rows of the first layer stay frozen (\`troupe.json\`).

| | |
| --- | --- |
| seed | ${facts.seed} |
| steps | ${facts.steps} |
| tokens | ${facts.tokens} |
| seconds | ${Math.round(facts.seconds)} (${facts.machine}) |
| data, sha256 | \`${facts.dataHash}\` |
| model.safetensors, sha256 | \`${facts.weightsHash}\` |

First ${facts.firstLosses.length} losses, which the same recipe and seed repeat bit for bit in deterministic mode:
${facts.firstLosses.join(' ')}

## What it can do
Of held-out teacher episodes (tools it has never seen, neither their families nor their names), the share in which it would say every word of the teacher's: a lower
bound of its success, which \`eval\` measures by playing:

| difficulty | exact | episodes |
| --- | --- | --- |
${rows(facts.evaluation.filter(({ role }) => role === undefined))}
${roles.length === 0 ? '' : roleTable(rows(roles))}`;
}

const roleTable = (rows: string): string => `
Of prompts of the simulated roles that it was not taught, the share in which it would say every word of the right reply. A written task has no one right form:
\`node bench/role-replies.mjs\` says how many of those it writes pass the checks of a run.

| role | difficulty | exact | prompts |
| --- | --- | --- | --- |
${rows}
`;
