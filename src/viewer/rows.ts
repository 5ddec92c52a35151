/** The episode table's rows: of a sealed group, and of a line of episodes.jsonl, which knows a little less. Knows no journal and no filter. */
import type { Episode } from '../protocol/episode.ts';
import type { RolloutGroup } from '../protocol/group.ts';
import type { JsonObject, JsonValue } from '../protocol/json.ts';
import type { Branch } from '../protocol/task.ts';
import { outcomeName, outcomeReason, tokensOf } from '../record/projections/episodes.ts';
import { type Band, fatesOf } from '../record/projections/fates.ts';
import type { EpisodeRow } from './contract.ts';

/** Characters of the words a row shows: rows of a whole run are held in memory. */
const longest = 160;

/** One row a member, in their order, members without an episode included. `band`: of the run's config. */
export function rowsOf(group: RolloutGroup, band: Band | null = null): EpisodeRow[] {
  const { id, step, task } = group;
  const query = cut(task.query);
  const fates = fatesOf(group, band);
  const rows = group.episodes.map((episode, at): EpisodeRow => {
    const { calls, tools, malformed } = callsOf(episode);
    // Spelled out: spread into another, an object costs several times as much, and this is done for every episode of a run that is followed.
    return {
      group: id,
      step,
      D: task.difficulty,
      branch: task.branch,
      split: task.split,
      query,
      episode: episode.id,
      member: episode.member,
      outcome: outcomeName(episode.outcome),
      reason: cut(outcomeReason(episode.outcome)),
      reward: episode.reward,
      turns: episode.turns.length,
      calls,
      tools,
      malformed,
      sampledTokens: tokensOf(episode).sampledTokens,
      version: episode.policy?.end ?? null,
      fate: fates[at] ?? '',
    };
  });
  const missing = group.missing.map(({ member, fault }): EpisodeRow => ({
    group: id,
    step,
    D: task.difficulty,
    branch: task.branch,
    split: task.split,
    query,
    episode: null,
    member,
    outcome: `missing.${fault.kind}`,
    reason: cut(fault.message),
    reward: null,
    turns: 0,
    calls: 0,
    tools: [],
    malformed: 0,
    sampledTokens: 0,
    version: null,
    fate: `missing.${fault.kind}`,
  }));
  return [...rows, ...missing].toSorted((a, b) => a.member - b.member);
}

function callsOf({ turns }: Episode): { readonly calls: number; readonly tools: readonly string[]; readonly malformed: number } {
  const names = turns.flatMap((turn) => (turn.role === 'agent' ? turn.calls.map(({ name }) => name) : []));
  const malformed = turns.filter((turn) => turn.role === 'agent' && turn.malformed !== undefined).length;
  return { calls: names.length, tools: listed([...new Set(names)]), malformed };
}

/** Lists of tools are few and rows are many. */
const lists = new Map<string, readonly string[]>();
function listed(names: readonly string[]): readonly string[] {
  const key = names.join('\n');
  const known = lists.get(key);
  if (known !== undefined) return known;
  if (lists.size >= 10_000) lists.clear();
  lists.set(key, names);
  return names;
}

const cut = (text: string): string => (text.length > longest ? `${text.slice(0, longest)}…` : text);

/** Of a row as projections/episodes.ts writes it; null where it is none. Tools and query are known only where transcripts were kept. */
export function rowOfLine(line: string): EpisodeRow | null {
  let row: JsonObject;
  try {
    row = JSON.parse(line) as JsonObject;
  } catch {
    // Being written, or cut off.
    return null;
  }
  const { group, step, split, branch, difficulty, member, episode, outcome, reason } = row;
  if (typeof group !== 'string' || typeof step !== 'string' || typeof member !== 'number' || typeof outcome !== 'string') return null;
  const turns = Array.isArray(row['transcript']) ? (row['transcript'] as JsonObject[]) : [];
  const said = turns.find((turn) => turn['role'] === 'user')?.['text'];
  const calls = turns.flatMap((turn) => (Array.isArray(turn['calls']) ? (turn['calls'] as JsonObject[]) : []));
  return {
    episode: typeof episode === 'string' ? episode : null,
    group,
    step,
    member,
    D: numberOf(difficulty) ?? 0,
    branch: branch as Branch,
    split: split === 'heldOut' ? 'heldOut' : 'train',
    outcome,
    reason: cut(typeof reason === 'string' ? reason : ''),
    reward: numberOf(row['reward']),
    turns: numberOf(row['turns']) ?? 0,
    calls: numberOf(row['calls']) ?? 0,
    tools: listed([...new Set(calls.flatMap(({ name }) => (typeof name === 'string' ? [name] : [])))]),
    malformed: null,
    sampledTokens: numberOf(row['sampledTokens']) ?? 0,
    version: numberOf(row['version']),
    fate: '',
    query: cut(typeof said === 'string' ? said : ''),
  };
}

const numberOf = (value: JsonValue | undefined): number | null => (typeof value === 'number' ? value : null);
