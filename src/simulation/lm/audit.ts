/**
 * What was wrong with the simulation of a finished episode, found in code over the whole transcript: results that contradict the world or each other, a user that told too much, did the
 * agent's work, stopped too early, or stayed when it was served. It judges whoever was simulated, never the agent, and does not know who played.
 */
import type { Audit } from '../../protocol/health.ts';
import type { SimulatorRole } from '../../protocol/outcome.ts';
import type { Task } from '../../protocol/task.ts';
import type { AgentTurn, ToolTurn, Turn } from '../../protocol/turn.ts';
import type { World } from '../../protocol/world.ts';
import { canonical } from '../../protocol/json.ts';
import { type ToolView, type UserView, conversationOf } from '../contract.ts';
import { matched } from '../verdict/expected.ts';
import { heardIn, isSaid } from '../hearing.ts';
import { nameIn } from './hygiene.ts';
import { contradictionIn } from './ledger.ts';
import { isQuestion, overreach, premature, slipIn } from './manners.ts';
import { contentOf, isSame, shareOf } from './overlap.ts';
import { touchedHash } from './touched.ts';
import { denies } from '../verdict/plain-speech.ts';
import { applyPatch, complaintsAbout, occurrenceKey } from '../state.ts';

export interface Finding {
  readonly kind: 'contradiction' | 'leak' | 'prematureStop' | 'overstay' | 'overreach';
  readonly role: SimulatorRole;
  readonly detail: string;
}

export interface EpisodeAudit {
  /** 1: nothing was found; halved by each finding; 0 where it was the user who cut the agent off: by stopping too early, or by staying until the agent had no turn left. */
  readonly fidelity: number;
  readonly findings: readonly Finding[];
}

/** `endedBy`: the user, who left; or the bounds that an episode has, while the user was still there. */
export function auditOf(
  { task, turns }: { readonly task: Task; readonly turns: readonly Turn[] },
  endedBy: 'user' | 'bounds' = 'user',
): EpisodeAudit {
  const stays = ofItsStay(task, turns);
  const findings = [...ofTools(task, turns), ...ofUser(task, turns), ...stays, ...(endedBy === 'user' ? ofTheEnd(task, turns) : [])];
  const isCut = findings.some(({ kind }) => kind === 'prematureStop') || (endedBy === 'bounds' && stays.length > 0);
  return { fidelity: isCut ? 0 : 2 ** -findings.length, findings };
}

/** One episode's audit as counts. */
export function auditCounts({ fidelity, findings }: EpisodeAudit, isRefused: boolean): Audit {
  const count = (kind: Finding['kind']): number => findings.filter((finding) => finding.kind === kind).length;
  return {
    episodes: 1,
    fidelity,
    contradictions: count('contradiction'),
    leaks: count('leak'),
    prematureStops: count('prematureStop'),
    overstays: count('overstay'),
    overreaches: count('overreach'),
    refused: isRefused ? 1 : 0,
  };
}

/** Whose fault a refused episode is: the role with most findings, the tool before the user. */
export function worstRole(findings: readonly Finding[]): SimulatorRole {
  const users = findings.filter(({ role }) => role === 'user').length;
  return users > findings.length - users ? 'user' : 'tool';
}

/** Replays the patches: each result against the world it came from, and against what the same look-up said of the same records. */
function ofTools({ tools, world: start }: Task, turns: readonly Turn[]): Finding[] {
  const findings: Finding[] = [];
  const told = new Map<string, string>();
  const found = (turn: ToolTurn, detail: string): void =>
    void findings.push({ kind: 'contradiction', role: 'tool', detail: `${turn.call.name}: ${detail}` });
  let world: World = start;
  for (const turn of turns) {
    if (turn.role !== 'tool') continue;
    const tool = tools.find(({ name }) => name === turn.call.name);
    const [broken] = complaintsAbout(world, turn.patch);
    if (broken !== undefined) found(turn, broken);
    const patched = broken === undefined ? applyPatch(world, turn.patch) : world;
    if (tool !== undefined && broken === undefined && (turn.status === 'ok' || turn.status === 'notFound')) {
      const view: ToolView = { tool, call: turn.call, world };
      const wrong = contradictionIn(view, { found: turn.status === 'ok', observation: turn.result, patch: turn.patch });
      if (wrong !== undefined) found(turn, wrong);
      if (tool.effects === 'read') {
        const said = canonical([turn.status, turn.result]);
        const key = `${occurrenceKey(turn.call)} ${touchedHash(view)}`;
        const before = told.get(key);
        if (before !== undefined && before !== said) found(turn, `said ${before.slice(0, 80)} before, and nothing it touches has changed`);
        told.set(key, said);
        if (turn.patch.length > 0) told.set(`${occurrenceKey(turn.call)} ${touchedHash({ ...view, world: patched })}`, said);
      }
    }
    world = patched;
  }
  return findings;
}

/** Each thing the user said, by what it had heard. The first is the task's own query. */
function ofUser({ persona, intent, tools }: Task, turns: readonly Turn[]): Finding[] {
  const names = new Set(tools.map(({ name }) => name));
  return turns.flatMap((turn, index): Finding[] => {
    if (turn.role !== 'user' || index === 0) return [];
    const view: UserView = { persona, intent, conversation: conversationOf(turns.slice(0, index)) };
    const isScripted = intent.requests.includes(turn.text);
    const worked = isScripted ? undefined : (overreach(turn.text)?.complaint ?? nameIn(turn.text, names));
    if (worked !== undefined) return [{ kind: 'overreach', role: 'user', detail: worked }];
    const slip = slipIn(view, { text: turn.text, done: false });
    return slip?.defect === 'leak' ? [{ kind: 'leak', role: 'user', detail: slip.complaint }] : [];
  });
}

/** Share of a request's words by which it is said once more. */
const saidAgain = 0.6;

/** The user spoke on when it had been served and asked nothing, and did not so much as say its request again. */
function ofItsStay(task: Task, turns: readonly Turn[]): Finding[] {
  const { requests } = task.intent;
  const isRequest = (text: string): boolean =>
    requests.some((request) => isSame(request, text) || shareOf(contentOf(request), text) >= saidAgain);
  return turns.flatMap((turn, index): Finding[] =>
    turn.role !== 'user' || index === 0 || isRequest(turn.text) || !isServed(task, turns.slice(0, index))
      ? []
      : [{ kind: 'overstay', role: 'user', detail: `served, the user went on: ${turn.text.slice(0, 80)}` }],
  );
}

/** All requests were said, no question is open, all calls were made, and what was to be told was told. */
function isServed(task: Task, turns: readonly Turn[]): boolean {
  const { persona, intent, branch, expectedAnswer } = task;
  if (premature({ persona, intent, conversation: conversationOf(turns) }) !== undefined) return false;
  const results = turns.filter((turn): turn is ToolTurn => turn.role === 'tool');
  if (matched(task, results).made.includes(-1)) return false;
  const said = turns.flatMap((turn) => (turn.role === 'agent' && turn.text !== '' ? [turn.text] : []));
  if (said.length === 0) return false;
  if (branch === 'none') return said.some(denies);
  return expectedAnswer === undefined || said.some((text) => isSaid(heardIn(text), expectedAnswer));
}

/** The user left: with requests unsaid, or with a question open on which calls depended. */
function ofTheEnd({ persona, intent, expectedCalls }: Task, turns: readonly Turn[]): Finding[] {
  const last = turns.findLast((turn): turn is AgentTurn => turn.role === 'agent');
  if (last === undefined || turns.at(-1) !== last) return [];
  const slip = premature({ persona, intent, conversation: conversationOf(turns) });
  if (slip === undefined) return [];
  const made = turns.filter((turn) => turn.role === 'tool' && turn.status !== 'transient').length;
  const isServed = isQuestion(last.text) && made >= expectedCalls.length;
  return isServed ? [] : [{ kind: 'prematureStop', role: 'user', detail: slip.complaint }];
}
