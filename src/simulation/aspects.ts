/**
 * The seven aspects of difficulty, measured on a written task: what it holds and says, never what its `aspects` field claims. Knows neither world.
 * Each measure is a number whose mean over many tasks should move one way as D rises: all up, but for `system`, which goes down, since a prompt of fewer words is more generic.
 */
import type { JsonValue } from '../protocol/json.ts';
import type { AspectName, ExpectedCall, Task } from '../protocol/task.ts';
import { heardIn, isImplied, isSaid, nameWords, wordsOf } from './hearing.ts';

/** The words a persona says its level by. */
export const personaLevels = ['an expert', 'a beginner', 'a novice'] as const;

const levelWords: readonly ReadonlySet<string>[] = [
  new Set('expert experts experienced professional professionals specialist seasoned advanced'.split(' ')),
  new Set('beginner beginners intermediate occasional learner casual'.split(' ')),
  new Set('novice novices newcomer newbie inexperienced clueless'.split(' ')),
];

/** 0 expert, 1 beginner, 2 novice, by the first word that tells; undefined where none does. */
export function levelOfPersona(persona: string): number | undefined {
  for (const word of wordsOf(persona).split(' ')) {
    const level = levelWords.findIndex((words) => words.has(word));
    if (level >= 0) return level;
  }
  return undefined;
}

/** Per aspect; null where the task has nothing to measure it on: what no call solves has no calls, no turns that they need and no words that name them. */
export function measureAspects(task: Task): Record<AspectName, number | null> {
  const acts = task.expectedCalls.length > 0;
  return {
    tools: task.tools.length,
    calls: acts ? task.expectedCalls.length : null,
    turns: acts ? userTurns(task) : null,
    system: instructionWords(task.system),
    persona: levelOfPersona(task.persona) ?? null,
    query: acts ? ambiguity(task) : null,
    criteria: task.criteria.length,
  };
}

/** How often the user speaks in the shortest solution: once a request, and once more where an argument of the first call is told only when asked. */
function userTurns(task: Task): number {
  const [first] = task.expectedCalls;
  return task.intent.requests.length + (first !== undefined && mustAsk(task, first) ? 1 : 0);
}

function mustAsk({ system, intent, tools }: Task, { name, arguments: args }: ExpectedCall): boolean {
  const heard = heardIn(system, intent.requests[0] ?? '');
  const required = tools.find((tool) => tool.name === name)?.parameters['required'];
  return Object.entries(args).some(
    ([parameter, value]) => Array.isArray(required) && required.includes(parameter) && !isSaid(heard, value),
  );
}

/** Words that tell the agent what to do. What follows a note is there to be known: it does not make the instructions less generic. */
const instructionWords = (system: string): number => {
  const words = wordsOf(system).split(' ');
  const note = words.indexOf('note');
  return (note < 0 ? words : words.slice(0, note)).filter((word) => word !== '').length;
};

/**
 * Share of the words an agent has to find or to see through that the requests leave unsaid or drown: for each call what its tool is for, and for each argument its name and its value,
 * over these and all words of the requests that say none of them. 0: every word needed is said, and no other.
 */
function ambiguity({ intent, expectedCalls, tools }: Task): number {
  const heard = heardIn(...intent.requests);
  const needed = new Set<string>();
  let wanted = 0;
  let unsaid = 0;
  const want = (isHeard: boolean): void => {
    wanted++;
    if (!isHeard) unsaid++;
  };
  for (const { name, arguments: args } of expectedCalls) {
    const purpose = wordsOf(tools.find((tool) => tool.name === name)?.description ?? '')
      .split(' ')
      .filter((word) => !common.has(word));
    want(purpose.some((word) => heard.includes(` ${word} `)));
    for (const word of purpose) needed.add(word);
    for (const [parameter, value] of Object.entries(args)) {
      const words = nameWords(parameter);
      want(words.some((word) => heard.includes(` ${word} `)));
      want(isSaid(heard, value) || isImplied(heard, parameter, value));
      for (const word of [...words, ...valueWords(value)]) needed.add(word);
    }
  }
  const chatter = heard.split(' ').filter((word) => word !== '' && word !== '|' && !needed.has(word) && !common.has(word)).length;
  return (unsaid + chatter) / Math.max(1, wanted + chatter);
}

const valueWords = (value: JsonValue): string[] =>
  typeof value === 'object' && value !== null
    ? Object.values(value).flatMap((part: JsonValue) => valueWords(part))
    : wordsOf(String(value)).split(' ');

/** Words that hold a sentence together: they say nothing about what a tool is for, and drown nothing. */
const common = new Set(
  'a an the and or then for with from that this these of to in on at by is are be my your you i me we it its all any get set use given'.split(
    ' ',
  ),
);
