/** Groups whose tools (and users) are played through prompts, by the fake server's brain in this thread: real charts, scripted policy, no server. */
import { runGroup } from '../../src/actors/group.ts';
import type { GroupJob, GroupSimulation } from '../../src/actors/ports.ts';
import { systemClock } from '../../src/actors/clock.ts';
import { createBrain, rightBrain, type BrainDials } from '../../src/gpu/engines/fake/brain.ts';
import { teacher } from '../../src/gpu/engines/scripted-teacher.ts';
import type { ChatRequest, TokenRequest } from '../../src/protocol/inference.ts';
import type { RolloutGroup } from '../../src/protocol/group.ts';
import type { SimulatorRole } from '../../src/protocol/outcome.ts';
import { seedOf } from '../../src/random.ts';
import { lmSimulators } from '../../src/simulation/lm/simulators.ts';
import type { LmSettings } from '../../src/simulation/lm/settings.ts';
import { type Agent, oracle, play } from '../../src/simulation/procedural/oracle.ts';
import { proceduralSimulators } from '../../src/simulation/procedural/simulators.ts';
import { renderer } from './playhouse.ts';

export const lmSettings: LmSettings = {
  dialect: 'prose',
  temperature: { task: 1, user: 0.8, tool: 0, judge: 0 },
  maxTokens: { task: 2048, user: 256, tool: 1024, judge: 1024 },
  structured: true,
  worldCharacters: 16_384,
  branches: { call: 1, ask: 0, answer: 0, none: 0 },
  gates: true,
};

export interface LmPlay {
  readonly dials?: Partial<BrainDials>;
  readonly simulation?: Partial<GroupSimulation>;
  /** Played through prompts; the other roles by code. */
  readonly roles?: readonly SimulatorRole[];
  /** What every member does. */
  readonly agent?: Agent;
}

export interface LmGroup {
  readonly group: RolloutGroup;
  readonly asked: readonly ChatRequest[];
}

/** A server that never answers twice alike: its brain is seeded by the request and by how many came before. */
export async function playGroup(
  job: GroupJob,
  { dials = {}, simulation = {}, roles = ['tool'], agent = oracle }: LmPlay = {},
): Promise<LmGroup> {
  const brain = createBrain({ ...rightBrain, ...dials });
  const asked: ChatRequest[] = [];
  const chat = (request: ChatRequest) => {
    asked.push(request);
    const text = brain.think(request.messages, seedOf(request.seed, asked.length)) ?? '';
    return Promise.resolve({ id: request.id, text, finish: 'stop' as const, model: 'brain' });
  };
  const taught = teacher({ renderer, turnsOf: (task) => play(task, agent).turns, skill: () => 1 });
  taught.learn(job.group, job.task);
  const generate = (request: TokenRequest) => {
    const ids = taught.policy(request, request.seed, job.version) as TokenRequest['ids'];
    const logprobs = new Float32Array(ids.length).fill(-0.1);
    return Promise.resolve({ id: request.id, version: job.version, samples: [{ ids, logprobs, finish: 'stop' as const }] });
  };
  const [played, coded] = [lmSimulators(lmSettings), proceduralSimulators()];
  const simulators = {
    task: coded.task,
    user: (roles.includes('user') ? played : coded).user,
    tool: (roles.includes('tool') ? played : coded).tool,
    judge: coded.judge,
  };
  const shared = { shared: true, cache: true, toolSeesIntent: false, fidelity: 0.5, votes: 1, scope: 'episode' } as const;
  const ports = { generate, chat, record: () => undefined, simulators, renderer, clock: systemClock };
  const group = await runGroup({ ...job, simulation: { ...shared, roles, ...simulation } }, ports, new AbortController().signal);
  return { group, asked };
}

/** Mean over groups of the variance of their members' rewards, and how many members were scored. */
export function rewardVariance(groups: readonly RolloutGroup[]): { variance: number; scored: number } {
  let sum = 0;
  let scored = 0;
  for (const { episodes } of groups) {
    const rewards = episodes.flatMap(({ reward }) => (reward === null ? [] : [reward as number]));
    const mean = rewards.reduce((total, reward) => total + reward, 0) / Math.max(1, rewards.length);
    sum += rewards.reduce((total, reward) => total + (reward - mean) ** 2, 0) / Math.max(1, rewards.length);
    scored += rewards.length;
  }
  return { variance: sum / Math.max(1, groups.length), scored };
}
