/** User, tools and judge played by a chat that answers rightly or fails as a schedule says: what becomes of an episode can then be foretold, prompt by prompt. */
import type { GroupJob } from '../../src/actors/group.ts';
import { runGroup } from '../../src/actors/group.ts';
import { CancelledFault, EngineFault, type EngineTrouble } from '../../src/errors.ts';
import type { RolloutGroup } from '../../src/protocol/group.ts';
import type { ChatRequest } from '../../src/protocol/inference.ts';
import type { JsonValue } from '../../src/protocol/json.ts';
import type { ToolView, JudgeView, ToolAnswer, UserAnswer } from '../../src/simulation/contract.ts';
import type { Verdict } from '../../src/protocol/outcome.ts';
import { booked, chatSimulator, done, goodAgent, scriptedJob, scriptedPorts, settle, verdict, type PolicyScript } from './scripted.ts';

/** What a prompt meets: a right answer, unreadable text, nothing for ever, or an engine in trouble. */
export const meetings = ['right', 'garbage', 'silence', 'stalled', 'internal', 'malformed', 'unreachable', 'refused', 'cancelled'] as const;
export type Meeting = (typeof meetings)[number];

const simulation = { shared: true, cache: true, toolSeesIntent: false, fidelity: 0, votes: 1, scope: 'episode' } as const;

/** Who asks and what about, as the prompt says it: the right answer follows from it, complaints or none. */
const told = (view: JsonValue, complaints: readonly string[]): string => JSON.stringify({ view, complaints: [...complaints] });

const rightAnswer = ({ role, messages }: ChatRequest): UserAnswer | ToolAnswer | Verdict => {
  const { view } = JSON.parse(messages[0]?.content as string) as { view: JsonValue };
  if (role === 'user') return done;
  if (role === 'tool') return booked(view);
  return verdict(view === true ? 1 : -1);
};

export interface Played {
  readonly group: RolloutGroup;
  /** In the order in which they were asked. */
  readonly prompts: readonly { readonly request: ChatRequest; readonly meeting: Meeting }[];
}

/** Plays one group; prompt n meets `schedule[n]`, the rest right answers. Time passes whenever everybody waits. Right answers cost 10 tokens of prompt and 2 of reply. */
export async function playFaulty(
  schedule: readonly Meeting[],
  changes: Partial<GroupJob> = {},
  script: PolicyScript = goodAgent,
): Promise<Played> {
  const prompts: { request: ChatRequest; meeting: Meeting }[] = [];
  const ports = scriptedPorts(script, {
    user: chatSimulator('user', (_, complaints) => told(null, complaints)),
    tool: chatSimulator('tool', ({ call }: ToolView, complaints) => told(call.arguments['name'] ?? null, complaints)),
    judge: chatSimulator('judge', ({ world }: JudgeView, complaints) => told(world.entities['rooms']?.['r1'] !== undefined, complaints)),
  });
  const chat = (request: ChatRequest) => {
    const meeting = schedule[prompts.length] ?? 'right';
    prompts.push({ request, meeting });
    const answer = (text: string) =>
      Promise.resolve({ id: request.id, text, finish: 'stop' as const, model: 'm', usage: { prompt: 10, reply: 2 } });
    switch (meeting) {
      case 'right':
        return answer(JSON.stringify(rightAnswer(request)));
      case 'garbage':
        return answer('certainly! here is');
      case 'silence':
        return new Promise<never>(() => undefined);
      case 'cancelled':
        return Promise.reject(new CancelledFault('told to stop'));
      case 'stalled':
      case 'internal':
      case 'malformed':
      case 'unreachable':
      case 'refused':
        return Promise.reject(new EngineFault(meeting, { trouble: meeting satisfies EngineTrouble }));
      default:
        return meeting satisfies never;
    }
  };
  const sealed: RolloutGroup[] = [];
  void runGroup(scriptedJob({ simulation, ...changes }), { ...ports, chat }, new AbortController().signal).then((group) =>
    sealed.push(group),
  );
  for (let waits = 0; sealed.length === 0; waits++) {
    if (waits > 1000) throw new Error('the group never ends');
    await settle();
    ports.clock.advance(50);
  }
  return { group: sealed[0] as RolloutGroup, prompts };
}
