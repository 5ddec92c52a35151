/** Names of model calls. The same question of the same actor at the same moment has the same key, so a journaled reply is never paid for twice. */
import { createHash } from 'node:crypto';
import type { CallId, PolicyVersion } from '../protocol/ids.ts';

export interface CallOf {
  /** The episode, or the group where its members share the answer. */
  readonly scope: string;
  readonly actor: string;
  readonly turn: number;
  /** Raised by a semantic retry, which also draws a fresh seed; crash recovery keeps it. */
  readonly sample: number;
  readonly version: PolicyVersion;
}

/** 32 hex digits of sha256 over who asks, when, and the whole prompt. */
export function callKey(call: CallOf, prompt: Int32Array | string): CallId {
  const hash = createHash('sha256').update(`${call.scope}\n${call.actor}\n${call.turn}\n${call.sample}\n${call.version}\n`);
  if (typeof prompt === 'string') hash.update(prompt);
  else hash.update(new Uint8Array(prompt.buffer, prompt.byteOffset, prompt.byteLength));
  return hash.digest('hex').slice(0, 32) as CallId;
}
