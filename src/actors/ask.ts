/**
 * Puts one question to whoever plays a simulated role, code or language model, and sends the answer, the complaint or the fault to the chart that asked, counting what came of it.
 * It never retries: the chart does. Silence and garbled replies of a model are complaints like any other as long as it may be asked again, so each prompt but the last has a
 * share of the time only; an engine that is away, refuses or was cancelled is a fault at once.
 */
import { asFault, boundary, EngineFault, SimulatorFault } from '../errors.ts';
import type { EngineTrouble, TroupeFault } from '../errors.ts';
import { wellFormed } from '../protocol/codec.ts';
import type { Defect } from '../protocol/health.ts';
import type { CallId, GroupId } from '../protocol/ids.ts';
import type { Asker, ChatReply, ChatRequest } from '../protocol/inference.ts';
import { canonical } from '../protocol/json.ts';
import type { JsonValue } from '../protocol/json.ts';
import type { AskMessage, Source } from '../protocol/messages.ts';
import type { Seed } from '../random.ts';
import type { Posed, Simulator } from '../simulation/contract.ts';
import type { Clock } from './clock.ts';
import type { Asking, HealthCount } from './health.ts';
import { callKey } from './keys.ts';
import type { CallOf } from './keys.ts';

export interface Question<View, Answer> {
  readonly simulator: Simulator<View, Answer>;
  readonly view: View;
  readonly ask: number;
  /** One per unreadable attempt before this one. */
  readonly complaints: readonly string[];
  /** Prompts it may cost in all. */
  readonly attempts: number;
  readonly call: CallOf;
  /** Who asks, for the record. Absent: nobody that has one. */
  readonly asker?: Pick<Asker, 'actor' | 'vote' | 'episodes'>;
  readonly seed: Seed;
  readonly group: GroupId;
  readonly priority: number;
  /** Milliseconds left for the answer, the attempts after this one included. */
  readonly deadlineMs: number;
  readonly clock: Pick<Clock, 'after'>;
  readonly chat: ((request: ChatRequest) => Promise<ChatReply>) | undefined;
  /** Absent: nobody counts. */
  readonly counted?: { readonly health: HealthCount; readonly asking: Asking };
}

type Chat = Extract<Posed, { kind: 'chat' }>;

/** What a model did not answer rightly, in words that are the same in every run: they enter the next prompt, and its key. */
const silences: Readonly<Partial<Record<EngineTrouble, { readonly complaint: string; readonly defect: Defect }>>> = {
  stalled: { complaint: 'no answer in time', defect: 'silent' },
  internal: { complaint: 'no answer came', defect: 'silent' },
  malformed: { complaint: 'the answer could not be read', defect: 'malformed' },
};

/** Answers at once where code plays the role, else when the model has. `deliver` decides whether anybody still listens. */
export function pose<View, Answer>(question: Question<View, Answer>, deliver: (message: AskMessage<Answer>) => void): void {
  const { simulator, view, complaints, ask, counted } = question;
  const attempt = complaints.length;
  const key = { ask, attempt };
  /** Of what is delivered; nothing where code plays everybody. */
  let about: { readonly source?: Source } = {};
  const fail = (fault: TroupeFault): void => {
    deliver({ type: 'ask.fault', ...key, fault: fault.toData(), ...about });
  };
  const refuse = (complaint: string, defect: Defect, raw: string): void => {
    // Both quote what a model wrote, cut to a length: perhaps in the middle of a character.
    deliver({ type: 'ask.unreadable', ...key, complaint: wellFormed(complaint), defect, raw: wellFormed(raw), ...about });
  };
  /** `counts`: its prompt is not one that was counted before. */
  const read = (reply: JsonValue, counts: boolean): void => {
    const reading = guarded(() => simulator.read(reply, view), fail, simulator.role);
    if (reading === undefined) return;
    if (reading.ok) {
      counted?.health.settled(counted.asking, counts && attempt > 0);
      if (about.source?.from === 'model') passOn(about.source.calls, reading.answer);
      return deliver({ type: 'ask.read', ...key, answer: reading.answer, ...about });
    }
    const { complaint, defect = 'malformed' } = reading;
    if (counts) counted?.health.refused(counted.asking, defect);
    refuse(complaint, defect, rawOf(reply));
  };

  if (attempt === 0) counted?.health.asked(counted.asking);
  const posed = guarded(() => simulator.pose(view, complaints, question.seed), fail, simulator.role);
  if (posed === undefined) return;
  if (posed.kind === 'reply') {
    if (counted !== undefined) about = { source: posed.known === true ? knownFrom(posed.reply) : { from: 'rules' } };
    if (attempt === 0) counted?.health.spared(counted.asking);
    read(posed.reply, true);
    return;
  }
  const onReply = ({ text, ...reply }: ChatReply): void => {
    const isNew = counted?.health.called(counted.asking, reply) !== false;
    if (!isNew && attempt === 0) counted?.health.spared(counted.asking);
    read(wellFormed(text), isNew);
  };
  const onFault = (error: unknown): void => {
    const fault = asFault(EngineFault, `${simulator.role} call`, error);
    const silence = silenceOf(fault);
    if (silence !== undefined && counted?.health.failed(counted.asking, fault) === true)
      counted.health.refused(counted.asking, silence.defect);
    if (silence === undefined || attempt + 1 >= question.attempts) fail(fault);
    else refuse(silence.complaint, silence.defect, fault.raw ?? fault.message);
  };
  const id = callKey(question.call, JSON.stringify(posed.messages));
  about = { source: { from: 'model', calls: [id] } };
  void boundary(EngineFault, `${simulator.role} call`, () => chat(question, posed, id)).then(onReply, onFault);
}

/** Answers that a group keeps → the call they were read from. */
const readFrom = new WeakMap<object, CallId>();

/** The first of `calls` stands for what is kept of `answer`. */
function passOn([call]: readonly CallId[], answer: unknown): void {
  if (call !== undefined && typeof answer === 'object' && answer !== null && !readFrom.has(answer)) readFrom.set(answer, call);
}

/** What is known of one answer is known of what was made from it. */
export function inherit<Answer extends object>(from: object, made: Answer): Answer {
  const call = readFrom.get(from);
  if (call !== undefined) readFrom.set(made, call);
  return made;
}

function knownFrom(answer: unknown): Source {
  const call = typeof answer === 'object' && answer !== null ? readFrom.get(answer) : undefined;
  return { from: 'group', ...(call === undefined ? {} : { call }) };
}

/** Undefined where asking once more would not help: the engine is away, refuses, or was told to stop. */
const silenceOf = (fault: TroupeFault): (typeof silences)[EngineTrouble] =>
  fault instanceof EngineFault && fault.trouble !== undefined ? silences[fault.trouble] : undefined;

/** The one place where a simulator's own exception becomes data: it must not take the episode's actor with it. */
function guarded<T>(fn: () => T, fail: (fault: TroupeFault) => void, role: string): T | undefined {
  try {
    return fn();
  } catch (error) {
    fail(asFault(SimulatorFault, role, error));
    return undefined;
  }
}

function chat<View, Answer>(question: Question<View, Answer>, posed: Chat, id: CallId): Promise<ChatReply> {
  const { role } = question.simulator;
  if (question.chat === undefined) throw new EngineFault(`${role}: the engine cannot play simulators`, { trouble: 'refused' });
  const { messages, schema, maxTokens, temperature } = posed;
  const left = Math.max(1, question.attempts - question.complaints.length);
  const deadlineMs = Math.max(1, question.deadlineMs / left);
  const reply = question.chat({
    id,
    role,
    messages: [...messages],
    ...(schema === undefined ? {} : { schema }),
    seed: question.seed,
    maxTokens,
    temperature,
    priority: question.priority,
    group: question.group,
    deadlineMs,
    ...(question.asker === undefined ? {} : { asker: { ...question.asker, ask: question.ask, attempt: question.complaints.length } }),
  });
  // The last one may take what is left: the chart's own deadline ends it.
  return left === 1 ? reply : within(reply, deadlineMs, role, question.clock);
}

/** Rejects after `ms`, whoever else forgets to. */
function within(reply: Promise<ChatReply>, ms: number, role: string, clock: Pick<Clock, 'after'>): Promise<ChatReply> {
  return new Promise((resolve, reject) => {
    const disarm = clock.after(ms, () => reject(new EngineFault(`${role}: no answer within ${Math.round(ms)} ms`, { trouble: 'stalled' })));
    reply.then(resolve, reject).finally(disarm);
  });
}

const rawOf = (reply: JsonValue): string => (typeof reply === 'string' ? reply : canonical(reply)).slice(0, 2000);
