/** What was asked in one recorded episode, prompt by prompt: gathered from the journal, as data and as text for a terminal. What others wrote is made printable first. */
import { unpack } from '../protocol/codec.ts';
import type { FrameOf } from '../protocol/frame.ts';
import type { CallId, EpisodeId, GroupId } from '../protocol/ids.ts';
import type { ChatReply } from '../protocol/inference.ts';
import type { RunFolder } from '../record/folder.ts';
import { type CallRow, CallWalk, type WordedCall, worded } from '../record/projections/calls.ts';
import { framesFrom } from '../record/reader.ts';
import { printable, printableLine } from './printable.ts';
import type { Terminal } from './terminal.ts';

export interface ListedCall extends Omit<CallRow, 'calls'> {
  /** null: the record does not hold it. The policy's are among its tokens. */
  readonly calls: readonly { readonly id: CallId; readonly asked: WordedCall | null; readonly reply: Omit<ChatReply, 'id'> | null }[];
}

/** In order; none where the record holds no events of it. Throws RecordFault where it cannot be read. */
export function callsOf(folder: RunFolder, group: GroupId, episode: EpisodeId): ListedCall[] {
  const parts = new Map<string, string>();
  const asked = new Map<CallId, FrameOf<'call.asked'>>();
  const replies = new Map<CallId, Uint8Array>();
  let walk = new CallWalk();
  for (const { frame } of framesFrom(folder.journal)) {
    if (frame.kind === 'call.part') parts.set(frame.hash, frame.text);
    else if (frame.kind === 'call.asked' && frame.group === group) asked.set(frame.id, frame);
    else if (frame.kind === 'call.reply' && frame.group === group) replies.set(frame.id, frame.bytes);
    else if (frame.kind === 'events')
      for (const { actor, event } of frame.events) {
        // A resumed run plays a group again that was not sealed.
        if (actor === `${group}/group` && event.type === 'xstate.init') walk = new CallWalk();
        if (actor.startsWith(`${episode}/`)) walk.take(actor.slice(episode.length + 1), event);
      }
  }
  const own = [...asked.values()].flatMap(({ id, asked: { asker } }) =>
    asker !== undefined && (asker.actor.startsWith(`${episode}/`) || asker.episodes?.includes(episode) === true) ? [{ id, asker }] : [],
  );
  return walk.rows(own).map((row) => ({
    ...row,
    calls: row.calls.map((id) => {
      const [frame, bytes] = [asked.get(id), replies.get(id)];
      const { id: _id, ...reply } = bytes === undefined ? { id } : (unpack(bytes) as ChatReply);
      return {
        id,
        asked: frame === undefined ? null : worded(frame.asked, (hash) => parts.get(hash)),
        reply: 'text' in reply ? reply : null,
      };
    }),
  }));
}

/** The policy's prompts are named only: `--tokens` lists them. */
export function callListing(calls: readonly ListedCall[], { paint }: Pick<Terminal, 'paint'>): string {
  if (calls.length === 0) return 'this record holds no events of the episode, and so nobody knows what was asked';
  return calls.map((call, i) => [paint('bold', headOf(call, i)), ...bodyOf(call, paint)].join('\n')).join('\n\n');
}

function headOf({ actor, tool, ask, attempt, end, source, calls }: ListedCall, index: number): string {
  const who = actor === 'agent' ? 'policy' : tool === undefined ? actor : `${actor} ${printableLine(tool)}`;
  const unknown =
    actor === 'agent' || calls.length > 0 ? '' : '; no prompt is recorded: code played it, or an older version wrote the record';
  const spared = source === null ? unknown : source.from === 'model' ? '' : `; no model was asked: ${spares[source.from]}`;
  return `${index + 1}. ${who}, question ${ask}${attempt === 0 ? '' : `, attempt ${attempt + 1}`}: ${end}${spared}`;
}

const spares = {
  rules: 'rules decided it',
  group: 'the group knew the answer',
  past: 'as in the episode it is played anew from',
} as const;

function bodyOf({ calls, complaint, raw, fault, source }: ListedCall, paint: Terminal['paint']): string[] {
  const line = (title: string): string => paint('dim', `──── ${title}`);
  return [
    ...(complaint === undefined ? [] : [`complaint: ${printable(complaint)}`]),
    ...(fault === undefined ? [] : [`${fault.kind}: ${printable(fault.message)}`]),
    ...(raw === undefined || calls.some(({ reply }) => reply !== null) ? [] : [line('what came, as far as it was kept'), printable(raw)]),
    ...(source?.from === 'group' && source.call !== undefined ? [`known from call ${source.call}`] : []),
    ...calls.flatMap(({ id, asked, reply }) => [
      ...(asked === null
        ? [line(`call ${id}: this record does not hold what was asked`)]
        : [
            ...asked.messages.flatMap(({ role, content }) => [line(role), printable(content)]),
            line(`schema; temperature ${asked.temperature}, at most ${asked.maxTokens} tokens, seed ${asked.seed}, call ${id}`),
            asked.schema === null ? 'any text' : printable(JSON.stringify(asked.schema)),
          ]),
      ...(reply === null ? [line('no reply')] : [line(`reply: ${replyWords(reply)}`), printable(reply.text)]),
    ]),
  ];
}

const replyWords = ({ model, finish, usage }: Omit<ChatReply, 'id'>): string =>
  [
    printableLine(model),
    finish,
    ...(usage === undefined ? [] : [`${usage.prompt} tokens of the prompt, ${usage.reply} of the reply`]),
  ].join(', ');
