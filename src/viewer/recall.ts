/** Reads one thing back from its place in a journal: a group, a task, the events of a frame. Knows where nothing lies; whoever asks has an index. */
import { boundarySync, RecordFault } from '../errors.ts';
import { unpack } from '../protocol/codec.ts';
import { Frame, type FrameOf, type RecordedEvent } from '../protocol/frame.ts';
import { RolloutGroup } from '../protocol/group.ts';
import type { CallId } from '../protocol/ids.ts';
import { AskedChat, ChatReply } from '../protocol/inference.ts';
import { Task } from '../protocol/task.ts';
import type { RunFolder } from '../record/folder.ts';
import { segmentFile } from '../record/inspection.ts';
import type { Position } from '../record/reader.ts';
import { recordFrom } from '../record/segment.ts';
import { textOf } from './peek.ts';

function frameAt({ journal }: RunFolder, { segment, offset }: Position): Uint8Array {
  const file = segmentFile(journal, segment);
  const frame = boundarySync(RecordFault, `cannot read ${file}`, () => recordFrom(file, offset));
  if (frame === null) throw new RecordFault(`${file} changed while it was read: there is no record at byte ${offset} any more`);
  return frame;
}

/** As it was packed, its shape unlooked at: for a search through thousands. Throws RecordFault where there is none. */
export function packedGroupAt(folder: RunFolder, at: Position): RolloutGroup {
  const { bytes } = unpack(frameAt(folder, at)) as { bytes: Uint8Array };
  return unpack(bytes) as RolloutGroup;
}

/** Throws RecordFault where there is none, or one of another shape. */
export function groupAt(folder: RunFolder, at: Position): RolloutGroup {
  const { bytes } = unpack(frameAt(folder, at)) as { bytes?: unknown };
  const read = bytes instanceof Uint8Array ? RolloutGroup.safeParse(unpack(bytes)) : null;
  if (read?.success !== true)
    throw new RecordFault(
      `${segmentFile(folder.journal, at.segment)} at byte ${at.offset}: ${read === null ? 'no group' : `a group of another form (${read.error.issues[0]?.path.join('.')}: ${read.error.issues[0]?.message})`}`,
    );
  return read.data;
}

/** Throws RecordFault likewise. */
export function taskAt(folder: RunFolder, at: Position): Task {
  const { task } = unpack(frameAt(folder, at)) as { task?: unknown };
  const read = Task.safeParse(task);
  if (!read.success) throw new RecordFault(`${segmentFile(folder.journal, at.segment)} at byte ${at.offset}: no task of this form`);
  return read.data;
}

/** What the trainer made of a group's tokens. Throws RecordFault likewise. */
export function signalsAt(folder: RunFolder, at: Position): FrameOf<'group.signals'> {
  const read = Frame.safeParse(unpack(frameAt(folder, at)));
  if (!read.success || read.data.kind !== 'group.signals')
    throw new RecordFault(`${segmentFile(folder.journal, at.segment)} at byte ${at.offset}: no signals of a trainer`);
  return read.data;
}

/** What a chat call asked, and its name. Throws RecordFault likewise. */
export function askedAt(folder: RunFolder, at: Position): Pick<FrameOf<'call.asked'>, 'id' | 'asked'> {
  const { id, asked } = unpack(frameAt(folder, at)) as Partial<FrameOf<'call.asked'>>;
  const read = AskedChat.safeParse(asked);
  if (id === undefined || !read.success)
    throw new RecordFault(`${segmentFile(folder.journal, at.segment)} at byte ${at.offset}: no call of this form`);
  return { id, asked: read.data };
}

/** Throws RecordFault likewise. */
export function chatReplyAt(folder: RunFolder, at: Position): ChatReply {
  const { bytes } = unpack(frameAt(folder, at)) as { bytes?: unknown };
  const read = bytes instanceof Uint8Array ? ChatReply.safeParse(unpack(bytes)) : null;
  if (read?.success !== true)
    throw new RecordFault(`${segmentFile(folder.journal, at.segment)} at byte ${at.offset}: no reply of this form`);
  return read.data;
}

/** Of the frame at a place: which call it is of. */
export const callAt = (folder: RunFolder, at: Position): CallId | null => textOf(frameAt(folder, at), 'id') as CallId | null;

/** A text that calls refer to. Throws RecordFault likewise. */
export function partAt(folder: RunFolder, at: Position): string {
  const { text } = unpack(frameAt(folder, at)) as { text?: unknown };
  if (typeof text !== 'string') throw new RecordFault(`${segmentFile(folder.journal, at.segment)} at byte ${at.offset}: no text`);
  return text;
}

/** Throws RecordFault likewise. */
export const eventsAt = (folder: RunFolder, at: Position): readonly RecordedEvent[] => eventsIn(frameAt(folder, at));

/** Of a frame of kind `events`. Its shape is looked at by hand: an episode may have 100,000 of them. Throws RecordFault for any other frame. */
export function eventsIn(frame: Uint8Array): readonly RecordedEvent[] {
  const { events } = unpack(frame) as { events?: unknown };
  if (!Array.isArray(events) || !events.every(isEvent)) throw new RecordFault('a frame of events holds something else');
  return events;
}

function isEvent(value: unknown): value is RecordedEvent {
  if (typeof value !== 'object' || value === null) return false;
  const { actor, event, state } = value as Partial<RecordedEvent>;
  return typeof actor === 'string' && typeof state === 'string' && typeof event === 'object' && typeof event.type === 'string';
}
