/**
 * Runs as long as runs get, written through the real record from what the program itself recorded: one episode of very many events, very many episodes, and a group of many long members.
 * Knows how frames repeat; their contents are those of the run they were taken from.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { pack, unpack } from '../../src/protocol/codec.ts';
import type { Episode } from '../../src/protocol/episode.ts';
import type { Frame, FrameOf, RecordedEvent } from '../../src/protocol/frame.ts';
import type { RolloutGroup } from '../../src/protocol/group.ts';
import { episodeId, groupId, type RunId, type StepId, stepId, taskId } from '../../src/protocol/ids.ts';
import type { JsonObject } from '../../src/protocol/json.ts';
import { appendPrompt, appendSampled, type TokenTrace } from '../../src/protocol/trace.ts';
import { createFolder, folderOf } from '../../src/record/folder.ts';
import { framesFrom } from '../../src/record/reader.ts';
import { type RunRecord, startRecord } from '../../src/record/record.ts';

/** A run that is there: frames are taken from it. */
interface Source {
  readonly root: string;
  readonly run: string;
}

const framesOf = ({ root, run }: Source): Frame[] => [...framesFrom(folderOf(join(root, 'runs', run)).journal)].map(({ frame }) => frame);
const ofKind = <K extends Frame['kind']>(frames: readonly Frame[], kind: K): FrameOf<K>[] =>
  frames.filter((frame): frame is FrameOf<K> => frame.kind === kind);

async function open(root: string, name: string, config: JsonObject): Promise<RunRecord> {
  const folder = createFolder(join(root, 'runs'), name);
  const about = { version: '0', config: { ...config, name } };
  return startRecord(folder, { run: name as RunId, segmentBytes: 256 << 20, transcripts: false }, about);
}

const sealed = (group: RolloutGroup): FrameOf<'group.sealed'> => {
  const bytes = pack(group);
  const scored = group.episodes.filter(({ reward }) => reward !== null).length;
  const hash = createHash('sha256').update(bytes).digest('hex');
  return { kind: 'group.sealed', envelope: { step: group.step, group: group.id, scored, status: group.status, hash }, bytes };
};

/** The episode of the run whose one call and its answer are the shortest, its group, and its events: groups come in any order, and repeated so often a long one is more than a frame may hold. */
function episodeWithCall(frames: readonly Frame[]): { group: RolloutGroup; episode: Episode; events: RecordedEvent[] } {
  const groups = ofKind(frames, 'group.sealed').map(({ bytes }) => unpack(bytes) as RolloutGroup);
  const found = groups
    .filter(({ task }) => task.split !== 'heldOut')
    .flatMap((group) => group.episodes.map((episode) => ({ group, episode })))
    .filter(({ episode: { turns, outcome } }) => outcome.kind === 'scored' && turns[2]?.role === 'tool' && turns.length === 4)
    .toSorted((a, b) => lengthOfCall(a.episode) - lengthOfCall(b.episode) || (a.episode.id < b.episode.id ? -1 : 1))[0];
  if (found === undefined) throw new Error('no episode of this run made one call and ended');
  const all = ofKind(frames, 'events').flatMap(({ events }) => events);
  return { ...found, events: all.filter(({ actor }) => actor.startsWith(`${found.episode.id}/`)) };
}

const lengthOfCall = ({ turns }: Episode): number => JSON.stringify(turns.slice(1, 3)).length;

/** As many of one round (the agent is prompted, samples, says; the tool is called, answers; the episode observes) as make `count` events. At least `count` events in all. */
export async function recordLongEpisode(from: Source, root: string, name: string, count: number): Promise<void> {
  const frames = framesOf(from);
  const { group, episode, events } = episodeWithCall(frames);
  const begins = events.findIndex(({ event }) => event.type === 'agent.prompt');
  const ends = events.findIndex(({ event }) => event.type === 'episode.observed') + 1;
  const round = events.slice(begins, ends);
  const rounds = Math.ceil((count - events.length) / round.length) + 1;
  const [first, ...rest] = events.slice(0, begins);
  const told = {
    ...first,
    event: { ...first?.event, input: { ...(first?.event['input'] as object), maxTurns: rounds + 2 } },
  } as RecordedEvent;
  const record = await open(root, name, ofKind(frames, 'run.started')[0]?.config ?? {});
  const task = { ...group.task, maxTurns: rounds + 2 };
  record.append({ kind: 'task.issued', step: group.step, task });
  const chunks = 300;
  const write = (list: readonly RecordedEvent[]): void => {
    for (let at = 0; at < list.length; at += chunks) record.append({ kind: 'events', events: list.slice(at, at + chunks) });
  };
  const groupEvents = ofKind(frames, 'events')
    .flatMap((frame) => frame.events)
    .filter(({ actor }) => actor === `${group.id}/group`);
  write(groupEvents.slice(0, 1));
  write([told, ...rest]);
  for (let done = 0; done < rounds; done += 50)
    write(Array.from({ length: Math.min(50, rounds - done) }, (_, i) => numbered(round, done + i)).flat());
  write(numbered(events.slice(ends), rounds - 1));
  write(groupEvents.slice(1));
  const [query, call, result, ...after] = episode.turns;
  const member: Episode = {
    ...episode,
    turns: [query, ...Array.from({ length: rounds }, () => [call, result]).flat(), ...after] as Episode['turns'],
    traces: [tokensOf(rounds)],
  };
  record.append(sealed({ ...group, task, episodes: [member] }));
  record.append({ kind: 'run.halted', reason: 'done', detail: '' });
  await record.close();
}

/** As many tokens as such an episode has: some ten are read and eight sampled each round. */
function tokensOf(rounds: number): TokenTrace & Int32Array<ArrayBuffer> {
  const [read, sampled] = [10, 8].map((count) => Int32Array.from({ length: count }, (_, i) => 1 + ((i * 7) % 200)));
  const logprobs = Float32Array.from({ length: 8 }, (_, i) => -((i * 0.37) % 5));
  const round = appendSampled(appendPrompt(new Int32Array(0), read as Int32Array, 0), sampled as Int32Array, logprobs, true, 0);
  const trace = new Int32Array(round.length * rounds);
  for (let i = 0; i < rounds; i++) trace.set(round, i * round.length);
  return trace;
}

/** A group with many members and many turns, no two alike. */
export async function recordLargeGroup(from: Source, root: string, name: string, members: number, rounds: number): Promise<void> {
  const frames = framesOf(from);
  const { group, episode } = episodeWithCall(frames);
  const record = await open(root, name, ofKind(frames, 'run.started')[0]?.config ?? {});
  record.append({ kind: 'task.issued', step: group.step, task: group.task });
  const [query, , result, ...after] = episode.turns;
  const words = (member: number, round: number): string =>
    Array.from({ length: 60 }, (_, i) => `word${(i * (i % 5 === 0 ? member + 1 : 1) + round) % 97}`).join(' ');
  const episodes = Array.from({ length: members }, (_, member): Episode => {
    const rows = Array.from({ length: rounds }, (_turn, round) => [
      { role: 'agent', thought: words(member, round), text: words(member + 1, round), calls: [] },
      result,
    ]);
    return { ...episode, id: episodeId(group.id, member), member, turns: [query, ...rows.flat(), ...after] as Episode['turns'] };
  });
  record.append(sealed({ ...group, episodes }));
  record.append({ kind: 'run.halted', reason: 'done', detail: '' });
  await record.close();
}

/** Actors count their asks, and take no answer to an old one: as they would be numbered `rounds` later. */
function numbered(events: readonly RecordedEvent[], rounds: number): RecordedEvent[] {
  return events.map((recorded) => {
    const [call, ask] = [recorded.event['call'], recorded.event['ask']];
    const isTools = recorded.actor.endsWith('/tool');
    if (typeof call === 'number') return { ...recorded, event: { ...recorded.event, call: call + rounds } };
    if (typeof ask === 'number' && isTools) return { ...recorded, event: { ...recorded.event, ask: ask + rounds } };
    return recorded;
  });
}

/** Steps of a real run over and over, each group under a name of its own, until there are `count` episodes. */
export async function recordManyEpisodes(from: Source, root: string, name: string, count: number): Promise<void> {
  const frames = framesOf(from);
  const groups = ofKind(frames, 'group.sealed').map((frame) => ({ frame, group: unpack(frame.bytes) as RolloutGroup }));
  const templates = groups
    .filter(({ group }) => group.task.split === 'train')
    .map(({ group }) => ({
      group: pack(group),
      members: group.episodes.length,
      step: group.step,
      id: group.id,
      events: ofKind(frames, 'events')
        .filter(({ events }) => events[0]?.actor.startsWith(group.id) === true)
        .map((frame) => pack(frame)),
    }));
  const commits = ofKind(frames, 'step.committed');
  const record = await open(root, name, ofKind(frames, 'run.started')[0]?.config ?? {});
  let episodes = 0;
  for (let step = 1; episodes < count; step++) {
    const names = Array.from({ length: 25 }, (_, index) => groupId(taskId(stepId(step), index)));
    for (const [index, id] of names.entries()) {
      const template = templates[(step * names.length + index) % templates.length];
      if (template === undefined) throw new Error('the run has no groups');
      const group = unpack(renamed(template.group, template.id, id, template.step, stepId(step))) as RolloutGroup;
      record.append({ kind: 'task.issued', step: group.step, task: group.task });
      for (const events of template.events) record.appendPacked(renamed(events, template.id, id, template.step, stepId(step)));
      record.append(sealed(group));
      episodes += template.members;
    }
    const { committed, metrics } = commits[step % commits.length] as FrameOf<'step.committed'>;
    record.append({ kind: 'step.committed', committed: { ...committed, step: stepId(step), groups: names }, metrics });
    await record.flush();
  }
  record.append({ kind: 'run.halted', reason: 'done', detail: '' });
  await record.close();
}

/** Names of steps and groups have one length, so in packed bytes one can be written over another. */
function renamed(bytes: Uint8Array, group: string, asGroup: string, step: StepId, asStep: StepId): Uint8Array<ArrayBuffer> {
  const copy = Buffer.alloc(bytes.length);
  copy.set(bytes);
  const over = (old: string, now: string): void => {
    for (let at = copy.indexOf(old); at >= 0; at = copy.indexOf(old, at + now.length)) copy.write(now, at, 'latin1');
  };
  over(group, asGroup);
  over(step, asStep);
  return new Uint8Array(copy.buffer, copy.byteOffset, copy.length).slice();
}
