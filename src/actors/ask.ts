/** Puts one question to whoever plays a simulated role, code or language model, and sends the answer, the complaint or the fault to the chart that asked. It never retries: the chart does. */
import { asFault, boundary, EngineFault, SimulatorFault } from '../errors.ts';
import type { TroupeFault } from '../errors.ts';
import { wellFormed } from '../protocol/codec.ts';
import type { GroupId } from '../protocol/ids.ts';
import type { ChatReply, ChatRequest } from '../protocol/inference.ts';
import { canonical } from '../protocol/json.ts';
import type { JsonValue } from '../protocol/json.ts';
import type { AskMessage } from '../protocol/messages.ts';
import type { Seed } from '../random.ts';
import type { Posed, Simulator } from '../simulation/contract.ts';
import { callKey } from './keys.ts';
import type { CallOf } from './keys.ts';

export interface Question<View, Answer> {
  readonly simulator: Simulator<View, Answer>;
  readonly view: View;
  readonly ask: number;
  /** One per unreadable attempt before this one. */
  readonly complaints: readonly string[];
  readonly call: CallOf;
  readonly seed: Seed;
  readonly group: GroupId;
  readonly priority: number;
  /** Milliseconds left for the answer. */
  readonly deadlineMs: number;
  readonly chat: ((request: ChatRequest) => Promise<ChatReply>) | undefined;
}

/** Answers at once where code plays the role, else when the model has. `deliver` decides whether anybody still listens. */
export function pose<View, Answer>(question: Question<View, Answer>, deliver: (message: AskMessage<Answer>) => void): void {
  const { simulator, view, complaints, ask } = question;
  const key = { ask, attempt: complaints.length };
  const fail = (fault: TroupeFault): void => {
    deliver({ type: 'ask.fault', ...key, fault: fault.toData() });
  };
  const read = (reply: JsonValue): void => {
    const reading = guarded(() => simulator.read(reply, view), fail, simulator.role);
    if (reading === undefined) return;
    if (reading.ok) deliver({ type: 'ask.read', ...key, answer: reading.answer });
    else deliver({ type: 'ask.unreadable', ...key, complaint: reading.complaint, raw: rawOf(reply) });
  };

  const posed = guarded(() => simulator.pose(view, complaints, question.seed), fail, simulator.role);
  if (posed === undefined) return;
  if (posed.kind === 'reply') {
    read(posed.reply);
    return;
  }
  void boundary(EngineFault, `${simulator.role} call`, () => chat(question, posed)).then(
    (reply) => read(wellFormed(reply.text)),
    (error: unknown) => {
      fail(asFault(EngineFault, `${simulator.role} call`, error));
    },
  );
}

/** The one place where a simulator's own exception becomes data: it must not take the episode's actor with it. */
function guarded<T>(fn: () => T, fail: (fault: TroupeFault) => void, role: string): T | undefined {
  try {
    return fn();
  } catch (error) {
    fail(asFault(SimulatorFault, role, error));
    return undefined;
  }
}

function chat<View, Answer>(question: Question<View, Answer>, posed: Extract<Posed, { kind: 'chat' }>): Promise<ChatReply> {
  if (question.chat === undefined) throw new EngineFault(`${question.simulator.role}: the engine cannot play simulators`);
  const { messages, schema, maxTokens, temperature } = posed;
  return question.chat({
    id: callKey(question.call, JSON.stringify(messages)),
    role: question.simulator.role,
    messages: [...messages],
    ...(schema === undefined ? {} : { schema }),
    seed: question.seed,
    maxTokens,
    temperature,
    priority: question.priority,
    group: question.group,
    deadlineMs: question.deadlineMs,
  });
}

const rawOf = (reply: JsonValue): string => (typeof reply === 'string' ? reply : canonical(reply)).slice(0, 2000);
