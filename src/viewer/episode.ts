/** The episode page: one member of a group with its task, its neighbours and how long its token traces are. Knows what was recorded; how it is shown is the page's. */
import { sampledLength, traceLength } from '../protocol/trace.ts';
import type { EpisodePage } from './contract.ts';
import type { Opened } from './group.ts';

interface About {
  readonly run: string;
  readonly group: string;
  readonly parent: EpisodePage['parent'];
  readonly forks: EpisodePage['forks'];
  /** Recorded events of its actors. */
  readonly events: number;
}

/** null where the group has no such member. */
export function episodePage(id: string, { run, group: name, parent, forks, events }: About, opened: Opened): EpisodePage | null {
  const head = { id, run, group: name, parent, forks, events };
  if (opened.kind === 'playing') {
    const { task, members } = opened;
    const found = members.find((member) => member.id === id);
    if (found === undefined) return null;
    const { member, turns, outcome } = found;
    const siblings = members.map((one) => ({ id: one.id, member: one.member, reward: null }));
    return {
      ...head,
      member,
      siblings,
      task,
      aspects: task.aspects,
      turns,
      outcome,
      reward: null,
      advantage: null,
      version: null,
      strips: [],
    };
  }
  const { group, advantages } = opened;
  const at = group.episodes.findIndex((episode) => episode.id === id);
  const episode = group.episodes[at];
  if (episode === undefined) return null;
  return {
    ...head,
    member: episode.member,
    siblings: group.episodes.map(({ id: sibling, member, reward }) => ({ id: sibling, member, reward })),
    task: group.task,
    aspects: group.task.aspects,
    turns: episode.turns,
    outcome: episode.outcome,
    reward: episode.reward,
    advantage: advantages[at] ?? null,
    version: episode.policy?.end ?? null,
    strips: episode.traces.map((trace) => ({ tokens: traceLength(trace), sampled: sampledLength(trace) })),
  };
}
