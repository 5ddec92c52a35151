/** The group page and the groups behind it: sealed ones read back and kept for a while, those still played as far as they came. */
import type { RolloutGroup } from '../protocol/group.ts';
import type { FrameOf, RecordedEvent } from '../protocol/frame.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { Task } from '../protocol/task.ts';
import { traceLength } from '../protocol/trace.ts';
import type { GroupPage } from './contract.ts';
import { type Playing, playingIn } from './playing.ts';
import type { ViewerPorts } from './ports.ts';
import { eventsAt, groupAt, signalsAt, taskAt } from './recall.ts';
import type { Place, RunIndex } from './run-index.ts';

/** What a group's pages are made of. */
export type Opened =
  | {
      readonly kind: 'sealed';
      readonly group: RolloutGroup;
      readonly advantages: readonly (number | null)[];
      readonly signals: FrameOf<'group.signals'> | null;
    }
  | { readonly kind: 'playing'; readonly task: Task; readonly members: readonly Playing[] };

/** Groups kept, and turns and tokens in all of them: those of the pages that are looked at, and their neighbours. The last one always stays. */
const keptGroups = 24;
const keptTurns = 100_000;
/** 16 bytes each. */
const keptTokens = 2_000_000;
/** Groups that are still played. */
const keptPlaying = 4;

export class Groups {
  readonly #advantages: ViewerPorts['advantages'];
  /** Least recently used first. */
  readonly #sealed = new Map<string, Opened & { readonly kind: 'sealed' }>();
  /** As they stood after so many frames of their events; likewise. */
  readonly #playing = new Map<Place, { readonly frames: number; readonly opened: Opened & { readonly kind: 'playing' } }>();

  constructor({ advantages }: Pick<ViewerPorts, 'advantages'>) {
    this.#advantages = advantages;
  }

  /** null where there is no such group. Throws RecordFault where it cannot be read. */
  open(index: RunIndex, config: JsonObject | null, id: string): Opened | null {
    const place = index.place(id);
    if (place === undefined) return null;
    if (place.sealed !== null) {
      const key = [index.folder.dir, id, ...[place.sealed, place.signals].flatMap((at) => [at?.segment, at?.offset])].join(' ');
      const known = this.#sealed.get(key);
      this.#sealed.delete(key);
      const opened = known ?? this.#read(index, config, place.sealed, place.signals);
      this.#sealed.set(key, opened);
      this.#forgetOld();
      return opened;
    }
    return place.task === null ? null : this.#play(index, id, place, place.task);
  }

  /** Replayed once for all who look at the same moment of it. */
  #play(index: RunIndex, id: string, place: Place, at: NonNullable<Place['task']>): Opened {
    const frames = place.events.length;
    const known = this.#playing.get(place);
    this.#playing.delete(place);
    const task = known?.opened.task ?? taskAt(index.folder, at);
    const opened: Opened & { kind: 'playing' } =
      known?.frames === frames ? known.opened : { kind: 'playing', task, members: playingIn(eventsOfGroup(index, id), task.world) };
    this.#playing.set(place, { frames, opened });
    const oldest = this.#playing.keys().next();
    if (this.#playing.size > keptPlaying && oldest.done !== true) this.#playing.delete(oldest.value);
    return opened;
  }

  #forgetOld(): void {
    let turns = [...this.#sealed.values()].reduce((sum, { group }) => sum + turnsIn(group), 0);
    let tokens = [...this.#sealed.values()].reduce((sum, { group }) => sum + tokensIn(group), 0);
    for (const [key, { group }] of [...this.#sealed].slice(0, -1)) {
      if (this.#sealed.size <= keptGroups && turns <= keptTurns && tokens <= keptTokens) return;
      turns -= turnsIn(group);
      tokens -= tokensIn(group);
      this.#sealed.delete(key);
    }
  }

  #read(index: RunIndex, config: JsonObject | null, at: Place['sealed'] & object, signals: Place['signals']): Opened & { kind: 'sealed' } {
    const group = groupAt(index.folder, at);
    return {
      kind: 'sealed',
      group,
      advantages: this.#advantages(group, config),
      signals: signals === null ? null : signalsAt(index.folder, signals),
    };
  }
}

const turnsIn = ({ episodes }: RolloutGroup): number => episodes.reduce((sum, { turns }) => sum + turns.length, 0);
const tokensIn = ({ episodes }: RolloutGroup): number =>
  episodes.reduce((sum, { traces }) => sum + traces.reduce((tokens, trace) => tokens + traceLength(trace), 0), 0);

/** Of the group's actors since it last began: a resumed run plays an unsealed group again. */
export function eventsOfGroup(index: RunIndex, id: string): RecordedEvent[] {
  const events = (index.place(id)?.events ?? []).flatMap((at) => eventsAt(index.folder, at));
  const start = events.findLastIndex(({ actor, event }) => actor === `${id}/group` && event.type === 'xstate.init');
  return events.slice(Math.max(0, start)).filter(({ actor }) => actor.startsWith(`${id}/`) || actor.startsWith(`${id}.e`));
}

export function groupPage(run: string, id: string, opened: Opened): GroupPage {
  if (opened.kind === 'playing')
    return {
      id,
      run,
      step: id.slice(0, id.lastIndexOf('.')),
      task: opened.task,
      status: 'running',
      members: opened.members.map((member) => ({ ...member, reward: null, advantage: null })),
      missing: [],
      zeroVariance: false,
    };
  const { group, advantages } = opened;
  const rewards = group.episodes.flatMap(({ reward }) => (reward === null ? [] : [reward]));
  return {
    id,
    run,
    step: group.step,
    task: group.task,
    status: group.status,
    members: group.episodes.map(({ id: episode, member, turns, outcome, reward }, index) => ({
      id: episode,
      member,
      turns,
      outcome,
      reward,
      advantage: advantages[index] ?? null,
    })),
    missing: group.missing,
    zeroVariance: rewards.length > 1 && rewards.every((reward) => reward === rewards[0]),
  };
}
