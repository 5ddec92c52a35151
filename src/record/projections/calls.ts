/**
 * All that was asked in an episode, or while a task was written, in order: of the policy, and of whoever plays the simulated roles; each with what came of it and which model calls it cost.
 * Follows recorded events and replays no chart. What was said it leaves where it lies.
 */
import type { Fault } from '../../protocol/fault.ts';
import type { RecordedEvent } from '../../protocol/frame.ts';
import type { CallId } from '../../protocol/ids.ts';
import type { AskedChat, Asker, ChatMessage } from '../../protocol/inference.ts';
import type { JsonValue } from '../../protocol/json.ts';
import type { AskMessage, Source } from '../../protocol/messages.ts';

/**
 * accepted: the answer was taken; refused: it was not, and whoever plays the role was told why; fault: no answer came that could be; expired: none came in time;
 * late: it came after it mattered; refuted: a task that was taken and then failed its rehearsal; overflow: the prompt left no room to answer;
 * alone: several members were asked about at once, and then each alone; open: nobody has its answer yet, or nobody wanted it any more.
 */
export type CallEnd = 'accepted' | 'refused' | 'fault' | 'expired' | 'late' | 'refuted' | 'overflow' | 'alone' | 'open';

/** One prompt for one question, or the question where it cost none. */
export interface CallRow {
  /** The actor that asked: `agent` asks the policy, `user`, `tool`, `judge` and `task` whoever plays them. */
  readonly actor: string;
  /** Of a tool's: which. */
  readonly tool?: string;
  /** Index, among the events given, of the one that ended it; null: none did. */
  readonly event: number | null;
  readonly ask: number;
  readonly attempt: number;
  /** null where the record does not say: of the policy, of roles played by code, and of older versions. */
  readonly source: Source | null;
  /** Model calls made for it, whether or not their replies were used. */
  readonly calls: readonly CallId[];
  readonly end: CallEnd;
  readonly complaint?: string;
  readonly defect?: string;
  /** Of an answer that was not taken, as far as the event kept it. */
  readonly raw?: string;
  readonly fault?: Fault;
}

/** A recorded chat call, as far as it says whose it is. */
export interface AskedCall {
  readonly id: CallId;
  readonly asker: Asker | null;
}

/** What was sent, with every text in its place. */
export interface WordedCall extends Pick<AskedChat, 'role' | 'temperature' | 'maxTokens' | 'seed'> {
  readonly messages: readonly ChatMessage[];
  readonly schema: JsonValue;
}

/** `part`: the text with this hash; undefined where the record has lost it. */
export function worded(
  { role, messages, schema, temperature, maxTokens, seed }: AskedChat,
  part: (hash: string) => string | undefined,
): WordedCall {
  const textOf = (hash: string): string => part(hash) ?? `(this text is not in the record: ${hash})`;
  return {
    role,
    messages: messages.map((message) => ('part' in message ? { role: message.role, content: textOf(message.part) } : message)),
    schema: schema === undefined ? null : jsonIn(textOf(schema)),
    temperature,
    maxTokens,
    seed,
  };
}

function jsonIn(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };
type Answer = Exclude<AskMessage<unknown>, { type: 'deadline.expired' }>;

/** What one actor is asking now. */
interface Asking {
  ask: number;
  attempt: number;
  tool: string | undefined;
  isOpen: boolean;
}

/** Follows the events of one path's actors: of an episode, or of a task (`task`, and the `tool` it is rehearsed with). */
export class CallWalk {
  readonly #rows: Writable<CallRow>[] = [];
  readonly #asking = new Map<string, Asking>();
  #count = 0;

  /** Prompts so far. */
  get length(): number {
    return this.#rows.length;
  }

  /** `name`: the last part of its path. */
  take(name: string, event: RecordedEvent['event']): void {
    const index = this.#count++;
    if (event.type === 'xstate.init') {
      this.#asking.set(name, { ask: name === 'task' ? 1 : 0, attempt: 0, tool: undefined, isOpen: name === 'task' });
      return;
    }
    const asking = this.#asking.get(name);
    if (asking === undefined) return;
    switch (event.type) {
      case 'user.hear':
      case 'judge.review':
      case 'agent.prompt':
      case 'tool.call':
        asking.ask++;
        asking.attempt = 0;
        asking.tool = toolIn(event);
        asking.isOpen = true;
        return;
      case 'ask.read':
      case 'ask.unreadable':
      case 'ask.fault':
        return this.#answered(name, asking, event as unknown as Answer, index);
      case 'agent.sampled':
      case 'agent.fault':
      case 'agent.overflow':
        return this.#sampled(name, asking, event, index);
      case 'deadline.expired':
        if (asking.isOpen) this.#add(name, asking, { end: 'expired', event: index });
        asking.isOpen = false;
        return;
      case 'task.refuted':
      case 'episode.faulted':
        if (name === 'task') this.#refute(asking, event);
        return;
      default:
    }
  }

  /** With the calls that no event names; `asked` are those of the same actors, in the order in which they were asked. */
  rows(asked: readonly AskedCall[]): CallRow[] {
    const rows = this.#rows.map((row) => ({ ...row }));
    const named = new Set(rows.flatMap(({ calls }) => calls));
    for (const { id, asker } of asked) {
      if (named.has(id) || asker === null) continue;
      named.add(id);
      place(rows, id, asker);
    }
    return rows;
  }

  #answered(name: string, asking: Asking, message: Answer, index: number): void {
    const { ask, attempt, source = null } = message;
    const isCurrent = asking.isOpen && ask === asking.ask && attempt === asking.attempt;
    const calls = source?.from === 'model' ? source.calls : [];
    const about = { event: index, source, calls };
    if (message.type === 'ask.read') {
      this.#add(name, { ...asking, ask, attempt }, { ...about, end: isCurrent ? 'accepted' : 'late' });
      if (isCurrent) asking.isOpen = false;
    } else if (message.type === 'ask.unreadable') {
      const { complaint, defect = 'malformed', raw } = message;
      this.#add(name, { ...asking, ask, attempt }, { ...about, end: isCurrent ? 'refused' : 'late', complaint, defect, raw });
      if (isCurrent) asking.attempt++;
    } else {
      this.#add(name, { ...asking, ask, attempt }, { ...about, end: isCurrent ? 'fault' : 'late', fault: message.fault });
      if (isCurrent) asking.isOpen = false;
    }
  }

  #sampled(name: string, asking: Asking, event: RecordedEvent['event'], index: number): void {
    const { fault, length } = event as { fault?: Fault; length?: number };
    const isCurrent = asking.isOpen && event['call'] === asking.ask;
    const end = event.type === 'agent.sampled' ? 'accepted' : event.type === 'agent.fault' ? 'fault' : 'overflow';
    const complaint = end === 'overflow' ? { complaint: `the prompt has ${length} tokens` } : {};
    this.#add(name, asking, { event: index, end: isCurrent ? end : 'late', ...(fault === undefined ? {} : { fault }), ...complaint });
    if (isCurrent) asking.isOpen = false;
  }

  /** The writer was right as far as its reply goes; its task was not. */
  #refute(asking: Asking, event: RecordedEvent['event']): void {
    const row = this.#rows.findLast(({ actor }) => actor === 'task');
    if (row?.end !== 'accepted') return;
    const { complaint, defect, fault } = event as { complaint?: string; defect?: string; fault?: Fault };
    row.end = 'refuted';
    row.complaint = complaint ?? `a call could not be answered: ${fault?.message ?? ''}`;
    if (defect !== undefined) row.defect = defect;
    asking.attempt++;
    asking.isOpen = true;
  }

  #add(actor: string, { ask, attempt, tool }: Asking, row: Pick<CallRow, 'end' | 'event'> & Partial<CallRow>): void {
    this.#rows.push({ actor, ask, attempt, source: null, calls: [], ...(tool === undefined ? {} : { tool }), ...row });
  }
}

/** To the prompt it was made for, where an event tells of that; as a row of its own where none does. */
function place(rows: Writable<CallRow>[], id: CallId, { actor: path, ask, attempt, vote, episodes }: Asker): void {
  const own = { event: null, source: null, calls: [id] };
  if (episodes !== undefined) {
    const first = rows.findIndex(({ actor, end }) => actor === 'judge' && end !== 'alone');
    rows.splice(first < 0 ? rows.length : first, 0, { actor: 'judge', ask, attempt, end: 'alone', ...own });
    return;
  }
  const actor = path.slice(path.lastIndexOf('/') + 1);
  const made = rows.find(
    (row) =>
      row.actor === actor &&
      row.ask === ask &&
      row.attempt === attempt &&
      row.end !== 'alone' &&
      // Of several votes those count that decide; an expired question has no answer to name its call.
      (row.calls.length === 0 ? row.end === 'expired' || row.end === 'open' : vote !== undefined),
  );
  if (made === undefined) rows.push({ actor, ask, attempt, end: 'open', ...own });
  else made.calls = [...made.calls, id];
}

function toolIn(event: RecordedEvent['event']): string | undefined {
  if (event.type !== 'tool.call') return undefined;
  const { call } = event as { call?: { name?: unknown } };
  return typeof call?.name === 'string' ? call.name : undefined;
}
