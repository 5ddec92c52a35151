/**
 * One right episode, as long as it would be: each role's real prompts and replies, measured in text. For plans, before any model is there to be asked.
 * The world is our own and the agent does what is expected; it knows no rates, repairs or sharing.
 */
import type { Config } from '../config.ts';
import { aspectsAt } from '../learning/curriculum.ts';
import type { TaskId } from '../protocol/ids.ts';
import type { SimulatorRole } from '../protocol/outcome.ts';
import type { Task } from '../protocol/task.ts';
import type { Turn } from '../protocol/turn.ts';
import type { World } from '../protocol/world.ts';
import { seedOf, stream } from '../random.ts';
import { conversationOf, type Posed, type TaskView } from '../simulation/contract.ts';
import type { LmSettings } from '../simulation/lm/settings.ts';
import { docketOf } from '../simulation/lm/judge.ts';
import { dialects, lmSimulators } from '../simulation/lm/simulators.ts';
import { oracle, play } from '../simulation/procedural/oracle.ts';
import { defaultMix } from '../simulation/procedural/plan.ts';
import { builtinRepository } from '../simulation/procedural/repository.ts';
import { writeTask } from '../simulation/procedural/task.ts';
import { applyPatch } from '../simulation/state.ts';
import { taskView } from '../simulation/view.ts';

/** One question to a role: tokens of its prompt and of a right reply; `spared`: rules answer it. */
export interface SampleCall {
  readonly prompt: number;
  readonly reply: number;
  readonly spared: boolean;
}

export interface SampleEpisode {
  /** One per turn of the agent; `computed`: what a server that keeps prefixes has to read anew. */
  readonly policy: readonly { readonly prompt: number; readonly computed: number; readonly reply: number }[];
  readonly simulators: Readonly<Record<SimulatorRole, readonly SampleCall[]>>;
}

/** Tokens of a text. */
export type Measure = (text: string) => number;

/** English around JSON, as Qwen’s tokenizer cuts it: some 3.6 characters a token. */
export const charactersPerToken = 3.6;
const measureOf = (dialect: LmSettings['dialect']): Measure =>
  dialect === 'words' ? (text) => text.split(/[\s"{}:,[\]]+/).length : (text) => Math.ceil(text.length / charactersPerToken);

export function sampleEpisode(
  config: Pick<Config, 'world' | 'curriculum'>,
  settings: LmSettings,
  difficulty: number,
  index: number,
): SampleEpisode {
  const seed = seedOf('plan', index);
  const aspects = aspectsAt(difficulty, stream(seedOf(seed, 'aspects')), config.curriculum.soft);
  const view = taskView(builtinRepository, { id: 's00001.t000' as TaskId, split: 'train', difficulty, aspects, seed });
  const task = writeTask(view, { ...defaultMix, ...config.world });
  const { turns } = play(task, oracle);
  const measure = measureOf(settings.dialect);
  return {
    policy: policyTurns(task, turns, settings.dialect === 'words' ? 0 : preamble, measure),
    simulators: {
      // Its tools may go by drawn names.
      task: [writing({ ...view, tools: task.tools }, task, settings, measure)],
      ...answers(task, turns, settings, measure),
    },
  };
}

/** The system prompt with its tools, then what was said, turn by turn. */
function policyTurns(task: Task, turns: readonly Turn[], heading: number, measure: Measure): SampleEpisode['policy'] {
  const tools = task.tools.map(({ name, description, parameters }) => JSON.stringify({ name, description, parameters }));
  let known = 0;
  let prompt = heading + measure([task.system, ...tools].join('\n'));
  const sampled: { prompt: number; computed: number; reply: number }[] = [];
  for (const turn of turns) {
    if (turn.role !== 'agent') {
      prompt += measure(turn.role === 'user' ? turn.text : JSON.stringify(turn.result)) + markers;
      continue;
    }
    const reply = measure([turn.thought, turn.text, ...turn.calls.map((call) => JSON.stringify(call))].join('')) + markers;
    sampled.push({ prompt, computed: prompt - known, reply });
    known = prompt;
    prompt += reply;
  }
  return sampled;
}

/** What a chat template puts around a turn. */
const markers = 6;
/** What Qwen3’s says of tools and how to call them, before it lists them. */
const preamble = 160;

function writing(view: TaskView, task: Task, settings: LmSettings, measure: Measure): SampleCall {
  const { system, persona, intent, expectedCalls, expectedAnswer, world } = task;
  const brief = { view, branch: task.branch };
  const calls = expectedCalls.map(({ name, arguments: args, turn }) => ({ name, arguments: args, turn }));
  const draft = {
    system,
    persona,
    intent,
    calls,
    entities: world.entities,
    ...(expectedAnswer === undefined ? {} : { answer: expectedAnswer }),
  };
  return called(lmSimulators(settings).task.pose(view, [], 0), dialects[settings.dialect].task.write(draft, brief), measure);
}

function answers(
  task: Task,
  turns: readonly Turn[],
  settings: LmSettings,
  measure: Measure,
): Pick<SampleEpisode['simulators'], 'user' | 'tool' | 'judge'> {
  const { user, tool, judge } = lmSimulators(settings);
  const scripts = dialects[settings.dialect];
  const users: SampleCall[] = [];
  const tools: SampleCall[] = [];
  let world: World = task.world;
  for (const [index, turn] of turns.entries()) {
    if (turn.role === 'agent' && turn.calls.length === 0) {
      const view = { persona: task.persona, intent: task.intent, conversation: conversationOf(turns.slice(0, index + 1)) };
      const next = turns[index + 1];
      const reply = next?.role === 'user' ? { text: next.text, done: false } : { text: '', done: true };
      users.push(called(user.pose(view, [], 0), scripts.user.write(reply, view), measure));
    }
    const spec = turn.role === 'tool' ? task.tools.find(({ name }) => name === turn.call.name) : undefined;
    if (turn.role !== 'tool' || spec === undefined) continue;
    const view = { tool: spec, call: turn.call, world };
    const draft = { found: turn.status === 'ok', observation: turn.result, patch: turn.patch };
    tools.push(called(tool.pose(view, [], 0), scripts.tool.write(draft, view), measure));
    world = applyPatch(world, turn.patch);
  }
  const view = { task, turns: turns.map((turn) => (turn.role === 'agent' ? { ...turn, thought: '' } : turn)), world };
  const { criteria } = docketOf(view, settings.gates);
  const found = Object.fromEntries(criteria.map((name) => [name, { met: true, evidence: evidenceOf(turns) }]));
  const verdict = called(judge.pose(view, [], 0), scripts.judge.write(found, { view, criteria }), measure);
  return { user: users, tool: tools, judge: [verdict] };
}

/** Of the length a quotation has. */
const evidenceOf = (turns: readonly Turn[]): string => (turns.findLast((turn) => turn.role === 'agent')?.text ?? '').slice(0, 120);

function called(posed: Posed, reply: string, measure: Measure): SampleCall {
  if (posed.kind === 'reply') return { prompt: 0, reply: 0, spared: true };
  const prompt = posed.messages.reduce((sum, { content }) => sum + measure(content) + markers, 0);
  return { prompt, reply: measure(reply) + markers, spared: false };
}
