/**
 * What a group's tools have been found to answer, by call and state, and which errors code decides for them. A read is known by what it touches, so that a write elsewhere leaves it
 * known; a write by the whole state, and never answered from a read's answer. The calls a task expects are known from its rehearsal.
 */
import type { World } from '../protocol/world.ts';
import { seedOf, uniform } from '../random.ts';
import type { ToolAnswer, ToolView } from '../simulation/contract.ts';
import { contradictionIn } from '../simulation/lm/ledger.ts';
import { ruleOf, touchedHash } from '../simulation/lm/touched.ts';
import { applyPatch, complaintsAbout, occurrenceKey, occurrencesOf, stateHash } from '../simulation/state.ts';
import { complaintAboutResult } from '../simulation/validate.ts';
import { inherit } from './ask.ts';
import type { Shelf } from './known.ts';
import type { GroupJob } from './ports.ts';
import type { GroupStage, Stage } from './stage.ts';

/** Does a language model play the tools of this group? */
export const playsTools = ({ simulation }: GroupJob): boolean => simulation !== undefined && (simulation.roles?.includes('tool') ?? true);

/** Is the call answered with a transient error this time? As often as the world's own rule says, else once by a share of the tools; the world counts, so that the next try goes on. */
export function isBusy({ task, simulation }: GroupJob, { tool, call, world }: ToolView): boolean {
  const rule = ruleOf(world, tool.name);
  const share = simulation?.transient ?? 0;
  const times =
    rule === undefined
      ? uniform(seedOf(task.seed, 'busy', tool.name), 0) < share
        ? 1
        : 0
      : typeof rule['busy'] === 'number'
        ? rule['busy']
        : 0;
  return occurrencesOf(world, call) < times;
}

export interface ToolShelf extends Shelf<ToolView, ToolAnswer> {
  /** Names the call and what its answer depends on. */
  readonly state: string;
}

/** The shelf of one call. Where nothing is shared each member has its own, and each run of a member. */
export function shelfFor(stage: Stage, view: ToolView): ToolShelf {
  const { group, episode, refill } = stage;
  const { job, answers } = group;
  const isShared = job.simulation?.shared ?? true;
  if (isShared && answers.size === 0 && playsTools(job)) remember(group);
  const reads = isRead(view);
  const place = isShared ? '' : `${episode} ${refill} `;
  const state = stateOf(job, view);
  const isOff = reads && job.simulation?.cache === false;
  return {
    state,
    find: (asked) => {
      const known = isOff ? undefined : answers.get(`${place}${state}`);
      return known !== undefined && isApplicable(known, asked) && !(reads && isContradicted(known, asked)) ? known : undefined;
    },
    keep: (asked, answer) => {
      if (isOff || answer.status === 'transient') return;
      for (const [key, kept] of entriesOf(job, asked, answer)) if (!answers.has(place + key)) answers.set(place + key, kept);
    },
    check: ({ status, observation, patch }, { tool, world }) => {
      const complaint = status === 'ok' ? complaintAboutResult(tool, observation) : undefined;
      if (complaint !== undefined) return { ok: false, complaint, defect: 'malformed' };
      const [wrong] = complaintsAbout(world, patch);
      return wrong === undefined ? undefined : { ok: false, complaint: wrong, defect: 'inconsistent' };
    },
  };
}

const isRead = ({ tool }: ToolView): boolean => tool.effects === 'read';

/** Without a model there is nothing to cache, and the world's name is at hand. */
const stateOf = (job: GroupJob, view: ToolView): string =>
  isRead(view) && playsTools(job)
    ? `${occurrenceKey(view.call)} read ${touchedHash(view)}`
    : `${occurrenceKey(view.call)} ${nameOf(view.world)}`;

/** An answer under its key; a read that wrote down what nobody had written is asked again on what it wrote, and answers the same. */
function entriesOf(job: GroupJob, view: ToolView, answer: ToolAnswer): [string, ToolAnswer][] {
  const entries: [string, ToolAnswer][] = [[stateOf(job, view), answer]];
  if (isRead(view) && answer.patch.length > 0)
    entries.push([stateOf(job, { ...view, world: applyPatch(view.world, answer.patch) }), inherit(answer, { ...answer, patch: [] })]);
  return entries;
}

/** Two states that a read cannot tell apart may differ where its answer writes something down. */
const isApplicable = ({ patch }: ToolAnswer, { world }: ToolView): boolean =>
  complaintsAbout(world, patch).length === 0 &&
  patch.every((operation) => operation.op !== 'put' || world.entities[operation.collection]?.[operation.id] === undefined);

/** What was right of the world that it was said of may be wrong of one that differs where nobody thought a look-up would look. */
const isContradicted = ({ status, observation, patch }: ToolAnswer, asked: ToolView): boolean =>
  contradictionIn(asked, { found: status === 'ok', observation, patch }) !== undefined;

/** The expected path costs no prompt: each expected call, in the state its rehearsal met it in. */
function remember({ job, answers }: GroupStage): void {
  const { task } = job;
  let { world } = task;
  for (const [index, { status, result, patch }] of (task.rehearsal ?? []).entries()) {
    const call = task.expectedCalls[index];
    const tool = task.tools.find(({ name }) => name === call?.name);
    if (call === undefined || tool === undefined || complaintsAbout(world, patch).length > 0) return;
    const view = { tool, call: { name: call.name, arguments: call.arguments }, world };
    for (const [key, answer] of entriesOf(job, view, { status, observation: result, patch }))
      if (!answers.has(key)) answers.set(key, answer);
    world = applyPatch(world, patch);
  }
}

/** Members share the world they start from, and most calls leave the world as it is: each state is named once. */
const names = new WeakMap<World, string>();
function nameOf(world: World): string {
  let name = names.get(world);
  if (name === undefined) names.set(world, (name = stateHash(world)));
  return name;
}
