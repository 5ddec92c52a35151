/**
 * What code can know of a finished episode, from parsed events and the task's own solution, in a world of any language: gates that end the matter, and findings on the criteria.
 * A gate never fails the task's own solution. It knows no world, no lexicon and no model; what an agent meant it leaves open.
 */
import { canonical, type JsonObject, type JsonValue } from '../../protocol/json.ts';
import type { Reward, Verdict } from '../../protocol/outcome.ts';
import { CriterionName, type Task } from '../../protocol/task.ts';
import type { ToolTurn } from '../../protocol/turn.ts';
import type { JudgeView } from '../contract.ts';
import { matched, sideEffect } from './expected.ts';
import { type Findings, findingsOf } from './findings.ts';
import { hearing, isFounded, isSaid, leavesOf, nothingHeard, wordsOf } from '../hearing.ts';
import { inventedIn } from './invented.ts';
import { claimsDeed, denies, isHollow, trick } from './plain-speech.ts';
import { type Scene, sceneOf } from './scene.ts';

/** A gate that failed ends the matter: reward −1 without a question to anybody. */
export type GateName =
  | 'knownTool'
  | 'schema'
  | 'groundedArguments'
  | 'expectedCalls'
  | 'expectedAnswer'
  | 'sideEffects'
  | 'plainSpeech'
  | 'plainRefusal';

export interface Gate {
  readonly name: GateName;
  readonly passed: boolean;
  readonly detail?: string;
}

export interface Examined {
  readonly gates: readonly Gate[];
  readonly findings: Findings;
}

const gate = (name: GateName, complaint: string | undefined): Gate =>
  complaint === undefined ? { name, passed: true } : { name, passed: false, detail: complaint };

/** Gates and findings of one episode. Pure. */
export function examine(view: JudgeView): Examined {
  const { task, turns, world } = view;
  const scene = sceneOf(task, turns);
  const matching = matched(task, scene.results);
  const unmade = matching.made.findIndex((at) => at < 0);
  const stray = sideEffect(task, scene.results, matching, world);
  const gates = [
    gate('knownTool', scene.results.find(({ status }) => status === 'unknownTool')?.call.name),
    gate('schema', unrepaired(scene.results)),
    gate('groundedArguments', ungroundedArgument(task, scene)),
    gate('expectedCalls', unmade < 0 ? undefined : `call ${unmade + 1} of ${matching.made.length} was not made`),
    gate('expectedAnswer', unanswered(task, scene)),
    gate('sideEffects', stray === undefined ? undefined : `${stray.call.name} changed what nobody asked to be changed`),
    gate('plainSpeech', trickIn(scene)),
    gate('plainRefusal', unrefused(task, scene)),
  ];
  const failed = gates.find(({ passed }) => !passed);
  const failure = failed === undefined ? undefined : `${failed.name}: ${failed.detail ?? ''}`;
  return { gates, findings: findingsOf(task, scene, matching, failure) };
}

/** The verdict that gates and findings come to: a failed gate or a missed intent −1, a required criterion missed 0, all met 1. */
export function verdictFrom(task: Task, gates: readonly Gate[], findings: Findings): Verdict {
  const criteria = CriterionName.options.map((name) => {
    const { met, evidence } = findings[name];
    return { name, required: task.criteria.includes(name), met, ...(evidence === undefined ? {} : { evidence }) };
  });
  return { reward: rewardFor(gates, criteria), gates: [...gates], criteria };
}

export function rewardFor(gates: readonly Pick<Gate, 'passed'>[], criteria: Verdict['criteria']): Reward {
  if (gates.some(({ passed }) => !passed) || criteria.some(({ name, met }) => name === 'intent' && !met)) return -1;
  return criteria.every(({ required, met }) => met || !required) ? 1 : 0;
}

/** A call that was refused is made good by a later valid call of the same tool; one that could not be read at all, by any later valid call. */
function unrepaired(results: readonly ToolTurn[]): string | undefined {
  const bad = results.find(
    ({ call, status }, at) =>
      status === 'invalidArgument' &&
      !results.slice(at + 1).some((later) => later.status !== 'invalidArgument' && (call.name === '' || later.call.name === call.name)),
  );
  return bad === undefined ? undefined : `${bad.call.name || 'an unreadable call'} was never made right`;
}

/** Each value of each argument must have been said by the system prompt, the user or an earlier result, but for those nobody in the task can say. */
function ungroundedArgument(task: Task, { said }: Scene): string | undefined {
  const untold = unsayable(task);
  for (const { turn, heard } of said) {
    for (const { name, arguments: args } of turn.calls) {
      for (const [parameter, value] of Object.entries(args)) {
        const property = propertyOf(task, name, parameter);
        if (property?.['default'] !== undefined && canonical(property['default']) === canonical(value)) continue;
        // A switch is said by its name as well, but only where it is one.
        const said = property?.['type'] === 'boolean' ? parameter : '';
        const invented = leavesOf(value).find((leaf) => !isFounded(heard, said, leaf) && !untold.has(placeOf(name, parameter, leaf)));
        if (invented !== undefined) return `${name}: ${parameter} = ${canonical(invented)} was never said`;
      }
    }
  }
  return undefined;
}

const placeOf = (tool: string, parameter: string, leaf: JsonValue): string => `${tool} ${parameter} ${canonical(leaf)}`;

/** Values of the solution that no user, prompt or earlier result of this task tells word for word: a date worked out, one of a closed list. */
function unsayable({ system, intent, expectedCalls, rehearsal = [] }: Task): ReadonlySet<string> {
  const said = hearing(nothingHeard, [system, ...Object.values(intent.facts)]);
  return new Set(
    expectedCalls.flatMap(({ name, arguments: args, needs, turn }, index) => {
      // What a call itself is answered comes too late for it.
      const results = rehearsal.slice(0, index).flatMap(({ result }) => leavesOf(result).map(String));
      const sayable = hearing(said, [...intent.requests.slice(0, turn + 1), ...results]);
      return Object.entries(args).flatMap(([parameter, value]) =>
        leavesOf(value)
          // Without a rehearsal, what a needed result says is not known here: such a value is then held to have been sayable.
          .filter((leaf) => !isFounded(sayable, parameter, leaf) && (rehearsal.length > 0 || needs.length === 0))
          .map((leaf) => placeOf(name, parameter, leaf)),
      );
    }),
  );
}

/** To give a parameter the value it has anyway says nothing: its schema tells. */
const propertyOf = ({ tools }: Task, name: string, parameter: string): JsonObject | undefined =>
  asObject(asObject(tools.find((tool) => tool.name === name)?.parameters['properties'])?.[parameter]);

const asObject = (value: JsonValue | undefined): JsonObject | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;

/** Words of an answer that people repeat as they are; what is longer they put in their own. */
const answerWords = 4;
/** A truth is told by many words, and a date or a time in many ways: whether it was told is for who reads. */
const hasManyForms = (answer: string): boolean =>
  /^(?:true|false)$|\d{4}-\d{2}-\d{2}|\d:\d{2}/.test(answer) || wordsOf(answer).split(' ').length > answerWords;

function unanswered({ expectedAnswer }: Task, { said }: Scene): string | undefined {
  if (expectedAnswer === undefined || expectedAnswer === '' || hasManyForms(expectedAnswer)) return undefined;
  const told = said.some(({ turn }) => isSaid(hearing(nothingHeard, [turn.text]), expectedAnswer));
  return told ? undefined : `${expectedAnswer} was never answered`;
}

/** Agents speak to users, in text and in what they have tools write; the last word must be one. */
function trickIn({ said, manual }: Scene): string | undefined {
  for (const { turn, heard } of said) {
    const texts = [turn.text, ...turn.calls.flatMap(({ arguments: args }) => leavesOf(args).map(String))];
    const found = texts.map((text) => trick(text, heard + manual)).find((each) => each !== undefined);
    if (found !== undefined) return found;
  }
  const last = said.at(-1)?.turn;
  return last !== undefined && last.calls.length === 0 && isHollow(last.text) ? 'nothing was said' : undefined;
}

/** Where no tool fits, the user must be told so; and where none was used, nothing can have been done or found out. */
function unrefused({ branch, expectedCalls }: Task, { said, results, manual }: Scene): string | undefined {
  if (branch !== 'none' || expectedCalls.length > 0) return undefined;
  const texts = said.filter(({ turn }) => turn.text !== '');
  if (!texts.some(({ turn }) => denies(turn.text))) return 'nobody was told that it cannot be done';
  if (results.some(({ status }) => status === 'ok')) return undefined;
  const claim = texts.find(({ turn, heard }) => claimsDeed(turn.text) || inventedIn(turn.text, heard + manual) !== undefined);
  return claim === undefined ? undefined : `nothing was done, yet: ${JSON.stringify(claim.turn.text.slice(0, 80))}`;
}
