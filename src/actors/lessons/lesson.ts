/** What every lesson of a simulated role is: a prompt, the right reply, and what code says to any reply. Knows no role. */
import type { ChatMessage } from '../../protocol/inference.ts';
import type { Reading } from '../../simulation/contract.ts';
import type { LmSettings } from '../../simulation/lm/settings.ts';

/** A prompt and the right reply to it. */
export interface Lesson {
  readonly messages: readonly ChatMessage[];
  readonly reply: string;
  /** What code says to a reply, this or any other: form, and the checks that all dialects share. */
  read(text: string): Reading<unknown>;
}

/** For reading alone: nothing is asked. */
const each = { task: 0, user: 0, tool: 0, judge: 0 };
export const readers: LmSettings = {
  dialect: 'words',
  temperature: each,
  maxTokens: each,
  structured: false,
  worldCharacters: 4096,
  branches: { call: 1, ask: 0, answer: 0, none: 0 },
  gates: true,
};
