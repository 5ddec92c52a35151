/** The accelerator's part of a dry run: the model, the card, how its memory is divided, and what to change where it does not fit. Starts and downloads nothing. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { memoryPlanFor } from '../actors/memory.ts';
import type { Config } from '../config.ts';
import { type Card, readCards } from '../gpu/cards.ts';
import { knownFacts, knownNames } from '../gpu/known-models.ts';
import { gibibytes, type MemoryPlan } from '../gpu/memory-plan.ts';
import { modelFacts, type ModelFacts, parametersOf } from '../gpu/model-facts.ts';
import { requireModel } from './require-model.ts';
import { downloadCommand, isHubName } from './settings/hub.ts';
import { type ServerPlan, serverPlanOf, serverPlanText } from './server-plan.ts';
import type { Environment } from './settings/environment.ts';
import { table } from './table.ts';

export interface ModelPlan {
  readonly model: string;
  readonly facts: ModelFacts;
  readonly parameters: number;
  /** Whether the model's files are on this machine; the facts of a well-known one are told without. */
  readonly here: boolean;
  readonly card: { readonly bytes: number; readonly from: string };
  /** null where no card is asked for. */
  readonly memory: MemoryPlan | null;
  /** Changes each of which makes it fit; empty where it fits. */
  readonly changes: readonly string[];
  /** null where no vLLM serves. */
  readonly server: ServerPlan | null;
}

/** What most who rent one card get. */
const usualCard: Card = { name: 'a card of 80 GiB', bytes: 80 * 2 ** 30, freeBytes: 80 * 2 ** 30 };

/** null for configs that use neither vLLM nor torch. `gpu`: GiB of the card to plan for; absent: the one that is here, else 80. */
export async function modelPlanOf(config: Config, gpu: number | undefined, env: Environment): Promise<ModelPlan | null> {
  if (config.engine.kind !== 'vllm' && config.trainer.kind !== 'torch') return null;
  const { model } = config.policy;
  const { facts, here } = factsOf(model);
  const cards = await readCards();
  const card = cardFor(gpu, cards);
  const memory = memoryPlanFor(config, facts, card.bytes);
  return {
    model,
    facts,
    parameters: parametersOf(facts),
    here,
    card,
    memory,
    changes: memory === null || memory.problem === null ? [] : changesFor(config, facts, card.bytes),
    server: serverPlanOf(config, memory, memory === null && cards.length === 0, env),
  };
}

function factsOf(model: string): { readonly facts: ModelFacts; readonly here: boolean } {
  if (existsSync(join(model, 'config.json'))) return { facts: modelFacts(model), here: true };
  const known = isHubName(model) ? knownFacts(model) : null;
  // Says what to do: get it, or name another.
  if (known === null) requireModel(model, `, or plan with one whose shape is known: ${knownNames.join(', ')}`);
  return { facts: known as ModelFacts, here: false };
}

function cardFor(gpu: number | undefined, [card]: readonly Card[]): ModelPlan['card'] {
  if (gpu !== undefined) return { bytes: gpu * 2 ** 30, from: '--gpu' };
  if (card !== undefined) return { bytes: card.bytes, from: card.name };
  return { bytes: usualCard.bytes, from: 'assumed: nvidia-smi names no card here; --gpu says another size' };
}

/** Sizes sold. */
const cardSizes = [16, 24, 32, 40, 48, 80, 96, 141, 192, 288];

/** Each tried alone, those that fit are told. */
function changesFor(config: Config, facts: ModelFacts, bytes: number): string[] {
  const { trainer, rollout, engine } = config;
  const fits = (changed: Config, card = bytes): boolean => memoryPlanFor(changed, facts, card)?.problem === null;
  const torch = (change: Partial<Config['trainer']['torch']>): Config => ({
    ...config,
    trainer: { ...trainer, torch: { ...trainer.torch, ...change } },
  });
  const shorter = (length: number): Config => ({
    ...config,
    trainer: { ...trainer, microBatchTokens: Math.min(trainer.microBatchTokens, length) },
    rollout: { ...rollout, contextLength: length },
  });
  const lengths = [2, 4, 8, 16].map((part) => Math.floor(rollout.contextLength / part)).filter((length) => length > rollout.maxTokens);
  const half = lengths.find((length) => fits(shorter(length)));
  const size = cardSizes.find((each) => fits(config, each * 2 ** 30));
  const free: Config = { ...config, engine: { ...engine, vllm: { ...engine.vllm, gpuMemory: undefined } } };
  const tried: readonly (readonly [string, boolean])[] = [
    ['leave engine.vllm.gpuMemory out', engine.vllm.gpuMemory !== undefined && fits(free)],
    ['trainer.torch.gradientCheckpointing: true', !trainer.torch.gradientCheckpointing && fits(torch({ gradientCheckpointing: true }))],
    [
      `trainer.microBatchTokens: ${rollout.contextLength}`,
      trainer.microBatchTokens > rollout.contextLength &&
        fits({ ...config, trainer: { ...trainer, microBatchTokens: rollout.contextLength } }),
    ],
    ['trainer.torch.sharing: timesliced', trainer.torch.sharing === 'coresident' && fits(torch({ sharing: 'timesliced' }))],
    [`rollout.contextLength and trainer.microBatchTokens: ${half}`, half !== undefined],
    [
      'servers on other cards (engine.vllm.servers), this one for the trainer',
      engine.vllm.servers.length === 0 &&
        fits({ ...config, engine: { ...engine, vllm: { ...engine.vllm, servers: ['http://127.0.0.1:8000'] } } }),
    ],
    [`a card of ${size} GiB`, size !== undefined],
    ['a smaller model', size === undefined],
  ];
  return tried.flatMap(([text, does]) => (does ? [text] : []));
}

export function modelPlanText({ model, facts, parameters, here, card, memory, changes, server }: ModelPlan): string {
  const lines = [
    `model         ${model}: ${count(parameters)} weights, ${facts.family}, ${facts.layers} layers of ${facts.hidden}, contexts up to ${facts.maxPositions}`,
  ];
  if (!here) lines.push(`              its shape is well known; its files are not on this machine: ${downloadCommand(model)}`);
  if (memory === null) lines.push('card          none is asked for (trainer.torch.device: cpu)');
  else lines.push(`card          ${gibibytes(card.bytes)} (${card.from})`, '', memoryText(memory, changes));
  if (server !== null) lines.push('', serverPlanText(server));
  return lines.join('\n');
}

function memoryText(memory: MemoryPlan, changes: readonly string[]): string {
  const rows = memory.rows.map(({ of, what, bytes, how }) => [of, what, (bytes / 2 ** 30).toFixed(1), how]);
  const lines = [table(['holder', 'what', 'GiB', 'how'], rows), ''];
  if (memory.problem === null) lines.push(`fits          ${verdict(memory)}`);
  else {
    lines.push(`does not fit  ${memory.problem}; one of these makes it fit:`);
    lines.push(...changes.map((change) => `              ${change}`));
  }
  if (memory.hostBytes > 0) lines.push(`host memory   ${gibibytes(memory.hostBytes)} while the server sleeps`);
  return lines.join('\n');
}

const count = (weights: number): string =>
  weights < 1e8 ? `${(weights / 1e6).toFixed(2)} million` : `${(weights / 1e9).toFixed(2)} billion`;

const verdict = ({ trainerBytes, serverShare, kvTokens, contexts }: MemoryPlan): string =>
  [
    ...(trainerBytes > 0 ? [`trainer ${gibibytes(trainerBytes)}`] : []),
    ...(serverShare > 0 ? [`server ${serverShare} of the card, ${kvTokens} tokens in its cache: ${contexts} contexts of full length`] : []),
  ].join('; ');
