/**
 * What a group knows already: who was answered what, so that equal questions are answered equally and cost one prompt. Members see one world, so that their rewards differ by what
 * they did and not by what they were told (cf. common random numbers). Knows keys and answers; not what they mean.
 */
import type { ChatReply, ChatRequest } from '../protocol/inference.ts';
import type { JsonValue } from '../protocol/json.ts';
import type { Reading, Simulator } from '../simulation/contract.ts';
import { chatOf } from './stage.ts';
import type { Stage } from './stage.ts';

export interface Shelf<View, Answer> {
  /** An answer known to be right in this view. */
  find(view: View): Answer | undefined;
  keep(view: View, answer: Answer): void;
  /** What code demands of every answer, whoever gave it. */
  check?(answer: Answer, view: View): Extract<Reading<Answer>, { ok: false }> | undefined;
}

/** The simulator, asked only what nobody knows yet; of two answers to one question the first kept counts. Only a language model's are kept: code answers equally by itself. */
export function remembering<View, Answer>(simulator: Simulator<View, Answer>, shelf: Shelf<View, Answer>): Simulator<View, Answer> {
  let known: Answer | undefined;
  return {
    role: simulator.role,
    pose: (view, complaints, seed) => {
      known = shelf.find(view);
      return known === undefined ? simulator.pose(view, complaints, seed) : { kind: 'reply', reply: known as JsonValue, known: true };
    },
    read: (reply, view) => {
      if (known !== undefined) return { ok: true, answer: known };
      const reading = simulator.read(reply, view);
      if (!reading.ok) return reading;
      const refusal = shelf.check?.(reading.answer, view);
      if (refusal !== undefined) return refusal;
      if (typeof reply !== 'string') return reading;
      const first = shelf.find(view);
      if (first !== undefined) return { ok: true, answer: first };
      shelf.keep(view, reading.answer);
      return reading;
    },
  };
}

/** One prompt for all members that ask the same at the same time; it lives as long as the group, since no one episode may cancel what another waits for. */
export function sharedChat({ group }: Stage): ((request: ChatRequest) => Promise<ChatReply>) | undefined {
  const chat = chatOf({ group, abort: group.abort });
  if (chat === undefined) return undefined;
  return (request) => {
    const known = group.asking.get(request.id);
    if (known !== undefined) return known;
    const asked = chat(request).finally(() => group.asking.delete(request.id));
    group.asking.set(request.id, asked);
    return asked;
  };
}
