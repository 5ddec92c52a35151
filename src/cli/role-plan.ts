/**
 * A dry run's part about roles: how often each is asked in a step, with how many tokens, and how long a server takes over it. Estimates from real prompts of right episodes
 * (sample-episode.ts) at the curriculum's start and at its hardest; what else is assumed is said beside them. Asks no model.
 */
import { lmSettingsOf } from '../actors/settings.ts';
import type { Config } from '../config.ts';
import { parametersOf } from '../gpu/model-facts.ts';
import type { ModelFacts } from '../gpu/model-facts.ts';
import type { LmSettings } from '../simulation/lm/settings.ts';
import type { Role } from '../protocol/inference.ts';
import { SimulatorRole } from '../protocol/outcome.ts';
import { charactersPerToken, type SampleCall, type SampleEpisode, sampleEpisode } from './sample-episode.ts';
import { table } from './table.ts';

/** Of one step. */
export interface RoleCost {
  readonly role: Role;
  /** Questions put to the role; of the policy: its turns. */
  readonly questions: number;
  /** Prompts a model answers, repairs included. */
  readonly prompts: number;
  readonly promptTokens: number;
  readonly replyTokens: number;
  readonly seconds: number;
}

export interface RolePlan {
  /** Sampled tokens a second of all servers together, and what says so. */
  readonly throughput: { readonly tokensPerSecond: number; readonly from: string };
  readonly levels: readonly { readonly difficulty: number; readonly roles: readonly RoleCost[]; readonly seconds: number }[];
  readonly assumptions: readonly string[];
}

/** Episodes that are measured at each difficulty. */
const samples = 48;
/** Prompts a question takes on average, refused answers included. */
const repairs = 1.1;
/** Share of what members say and call that their group has not heard before: policies wander. */
const newToGroup = 0.5;
/** A prompt token that must be computed beside a sampled one: 0.05 against 0.11 ms of an H100 with an 8B model and 256 sequences. */
const promptShare = 0.45;
/** The same arithmetic: 256 tokens in 6.5 + 256 × 0.012 + 256 × 1,000 × 4.9e-5 ms (src/gpu/engines/fake/settings.ts). */
const reference = { tokensPerSecond: 11_600, parameters: 8.19e9, name: 'H100 arithmetic for 8.19 billion weights' };

/** null where code plays all roles. `throughput`: sampled tokens a second, where it is known better. */
export function rolePlanOf(config: Config, facts: ModelFacts | null, throughput: number | undefined, tiny: boolean): RolePlan | null {
  const played = SimulatorRole.options.filter((role) => config.roles[role] === 'lm');
  if (played.length === 0) return null;
  const { dialect } = config.simulation;
  const settings = lmSettingsOf(config, dialect === 'auto' ? (tiny ? 'words' : 'prose') : dialect);
  const speed = speedOf(config, facts, throughput);
  const levels = [...new Set([config.curriculum.start, 100])].map((difficulty) => {
    const episodes = Array.from({ length: samples }, (_, index) => sampleEpisode(config, settings, difficulty, index));
    const roles = [policyCost(config, episodes), ...played.map((role) => simulatorCost(config, role, episodes))].map((cost) => ({
      ...cost.told,
      seconds: (cost.told.replyTokens + promptShare * cost.computed) / speed.tokensPerSecond,
    }));
    return { difficulty, roles, seconds: roles.reduce((sum, { seconds }) => sum + seconds, 0) };
  });
  return { throughput: speed, levels, assumptions: assumptionsOf(config, settings) };
}

function speedOf(config: Config, facts: ModelFacts | null, given: number | undefined): RolePlan['throughput'] {
  if (given !== undefined) return { tokensPerSecond: given, from: '--throughput' };
  const servers = Math.max(1, config.engine.vllm.servers.length);
  const each = facts === null ? 1 : reference.parameters / parametersOf(facts);
  const told = servers === 1 ? '' : `, ${servers} servers`;
  const scaled = facts === null ? '' : ', by weights';
  return {
    tokensPerSecond: reference.tokensPerSecond * servers * each,
    from: `${reference.name}${scaled}${told}; --throughput says another`,
  };
}

interface Cost {
  readonly told: Omit<RoleCost, 'seconds'>;
  /** Prompt tokens that no prefix cache spares. */
  readonly computed: number;
}

const mean = <T>(list: readonly T[], of: (one: T) => number): number =>
  list.reduce((sum, one) => sum + of(one), 0) / Math.max(1, list.length);
const sum = <T>(list: readonly T[], of: (one: T) => number): number => list.reduce((total, one) => total + of(one), 0);

function policyCost({ rollout }: Config, episodes: readonly SampleEpisode[]): Cost {
  const played = rollout.tasks * rollout.group;
  const turns = played * mean(episodes, ({ policy }) => policy.length);
  return {
    told: {
      role: 'policy',
      questions: Math.round(turns),
      // The first turns of a group are one request.
      prompts: Math.round(turns - played + rollout.tasks),
      promptTokens: Math.round(played * mean(episodes, ({ policy }) => sum(policy, ({ prompt }) => prompt))),
      replyTokens: Math.round(played * mean(episodes, ({ policy }) => sum(policy, ({ reply }) => reply))),
    },
    computed:
      played * mean(episodes, ({ policy }) => sum(policy.slice(1), ({ computed }) => computed)) +
      rollout.tasks * mean(episodes, ({ policy }) => policy[0]?.computed ?? 0),
  };
}

function simulatorCost(config: Config, role: SimulatorRole, episodes: readonly SampleEpisode[]): Cost {
  const asked = episodes.flatMap(({ simulators }) => simulators[role]);
  const [questions, answered] = questionsOf(config, role, asked.length / episodes.length);
  const posed = asked.filter(({ spared }) => !spared);
  const prompts = answered * (asked.length === 0 ? 0 : posed.length / asked.length) * repairs;
  const of = (part: keyof Omit<SampleCall, 'spared'>): number => Math.round(prompts * mean(posed, (call) => call[part]));
  return {
    told: { role, questions: Math.round(questions), prompts: Math.round(prompts), promptTokens: of('prompt'), replyTokens: of('reply') },
    computed: of('prompt'),
  };
}

/** Of a step: questions, and those that reach a model if rules do not answer them. `each`: questions of one right episode. */
function questionsOf({ rollout, roles, simulation }: Config, role: SimulatorRole, each: number): readonly [number, number] {
  const { tasks, group } = rollout;
  const { shared, cache, rehearse, judge } = simulation;
  switch (role) {
    case 'task':
      return [tasks * each, tasks * each];
    case 'user': {
      const heard = tasks * group * each;
      return [heard, shared ? Math.min(heard, tasks * each + newToGroup * heard) : heard];
    }
    case 'tool': {
      const rehearsed = rehearse && roles.task === 'lm' ? tasks * each : 0;
      const calls = tasks * group * each;
      if (!shared) return [rehearsed + calls, rehearsed + calls];
      // Without a rehearsal the group's first one to call is answered by the model.
      const first = rehearsed > 0 && cache ? 0 : tasks * each;
      return [rehearsed + calls, rehearsed + Math.min(calls, first + newToGroup * calls)];
    }
    case 'judge': {
      const verdicts = judge.scope === 'group' ? tasks : tasks * group;
      const canaries = judge.calibrateEvery > 0 ? judge.calibrationEpisodes / judge.calibrateEvery : 0;
      const all = (verdicts + canaries) * judge.votes;
      return [all, all];
    }
    default:
      return role satisfies never;
  }
}

function assumptionsOf({ simulation, policy }: Config, { dialect }: LmSettings): string[] {
  return [
    `prompts and replies as in right episodes of our own world, ${samples} at each D: real models say more, of bad policies rules decide more`,
    dialect === 'words'
      ? 'a word is a token'
      : `${charactersPerToken} characters a token; of imported tools, whose declarations may be longer, as many`,
    `${repairs} prompts a question, refused answers included`,
    ...(simulation.shared ? [`${newToGroup * 100} % of what members say and call is new to their group, the rest it knows`] : []),
    ...(policy.thinking ? ['the policy’s thoughts are not counted: at most rollout.maxTokens a turn'] : []),
    `a prompt token costs ${promptShare} of a sampled one, and is free where the policy has read it before; of the simulators’ prompts none is free; training, and waiting for each other, not counted`,
  ];
}

export function rolePlanText({ throughput, levels, assumptions }: RolePlan): string {
  const blocks = levels.map(({ difficulty, roles, seconds }) => {
    const total = (of: (cost: RoleCost) => number): string => count(sum(roles, of));
    const rows = roles.map((cost) => [
      cost.role,
      count(cost.questions),
      count(cost.prompts),
      count(cost.promptTokens),
      count(cost.replyTokens),
      cost.seconds.toFixed(1),
    ]);
    const all = [
      'all',
      total(({ questions }) => questions),
      total(({ prompts }) => prompts),
      total(({ promptTokens }) => promptTokens),
      total(({ replyTokens }) => replyTokens),
      seconds.toFixed(1),
    ];
    return `a step at D ${difficulty}\n${table(['role', 'questions', 'prompts', 'prompt tokens', 'reply tokens', 'seconds'], [...rows, all])}`;
  });
  return [
    ...blocks,
    `at ${count(Math.round(throughput.tokensPerSecond))} sampled tokens a second (${throughput.from}), assuming`,
    ...assumptions.map((text) => `- ${text}`),
  ].join('\n');
}

const count = (value: number): string => `${Math.round(value)}`;
