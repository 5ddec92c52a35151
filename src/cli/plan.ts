/** What a run would take, from its config alone: for --dry-run. Counts and estimates; nothing is started. */
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { threadsOf } from '../actors/threads.ts';
import type { Config } from '../config.ts';
import { type ModelPlan, modelPlanOf, modelPlanText } from './model-plan.ts';
import { type RolePlan, rolePlanOf, rolePlanText } from './role-plan.ts';
import type { Terminal } from './terminal.ts';

export interface Plan {
  readonly episodes: number;
  readonly evaluationEpisodes: number;
  /** At most: every turn as long as it may be. */
  readonly sampledTokensAtMost: number;
  readonly threads: { readonly cores: number; readonly workers: number; readonly engine: number; readonly trainer: number };
  readonly writes: string;
  /** null where code plays every role. */
  readonly roles: RolePlan | null;
  /** Of configs that use vLLM or torch. */
  readonly accelerator: ModelPlan | null;
}

/** Agent turns of the longest task (twice its calls and user turns: learning/curriculum.ts). */
const longestTurns = 10;

async function planOf(config: Config, gpu: number | undefined, throughput: number | undefined): Promise<Plan> {
  const { steps, rollout } = config;
  const times = config.eval.at.length + (config.eval.every > 0 ? Math.floor(steps / config.eval.every) : 0);
  const attempts = config.eval.samples + (config.eval.greedy ? 1 : 0);
  const episodes = steps * rollout.tasks * rollout.group;
  const accelerator = await modelPlanOf(config, gpu, process.env);
  return {
    episodes,
    evaluationEpisodes: times * attempts * config.eval.levels.length * config.eval.tasks,
    sampledTokensAtMost: episodes * longestTurns * rollout.maxTokens,
    threads: {
      cores: availableParallelism(),
      workers: threadsOf(rollout.workers, 4),
      engine: config.engine.kind === 'embedded' ? threadsOf(config.engine.threads) : 0,
      trainer: config.trainer.kind === 'embedded' ? threadsOf(config.trainer.threads) : 0,
    },
    writes: `${config.record.dir}/${config.name}`,
    roles: rolePlanOf(config, accelerator?.facts ?? null, throughput, speaksWords(config.policy.model)),
    accelerator,
  };
}

/** Whether the model's tokenizer has whole words only, as our tiny one's; a model that is not here is none of ours. */
function speaksWords(model: string): boolean {
  const file = join(model, 'tokenizer.json');
  return existsSync(file) && /"type":\s*"WordLevel"/.test(readFileSync(file, 'utf8'));
}

/** Prints the resolved config, commented with the plan; with --json both as data. `gpu`: GiB of the card to plan for; `throughput`: tokens its server samples a second. */
export async function dryRun(
  config: Config,
  { json, gpu, throughput }: { readonly json: boolean; readonly gpu?: number | undefined; readonly throughput?: number | undefined },
  terminal: Terminal,
): Promise<0> {
  const plan = await planOf(config, gpu, throughput);
  terminal.out(json ? JSON.stringify({ config, plan }) : planText(config, plan));
  return 0;
}

function planText(config: Config, plan: Plan): string {
  const lines = [
    `episodes      ${plan.episodes} in ${config.steps} steps of ${config.rollout.tasks} tasks × ${config.rollout.group}`,
    `evaluation    ${plan.evaluationEpisodes} episodes`,
    `tokens        at most ${plan.sampledTokensAtMost} sampled in training`,
    `threads       ${plan.threads.workers} workers, ${plan.threads.engine} engine, ${plan.threads.trainer} trainer on ${plan.threads.cores} cores`,
    `writes        ${plan.writes}`,
    ...(plan.roles === null ? [] : ['', ...rolePlanText(plan.roles).split('\n'), '']),
    ...(plan.accelerator === null ? [] : modelPlanText(plan.accelerator).split('\n')),
  ];
  return `${stringify(config)}\n${lines.map((line) => `# ${line}`.trimEnd()).join('\n')}`;
}
