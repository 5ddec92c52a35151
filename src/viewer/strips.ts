/** Token traces as a page shows them, and the prompts they hold: what the policy read up to each of its turns is the trace up to where it begins to sample. Knows no renderer: texts come through a port. */
import type { Episode } from '../protocol/episode.ts';
import { isSampled, recordAt, type TokenTrace, traceLength } from '../protocol/trace.ts';
import type { PromptPage, TokenStrip } from './contract.ts';

type TokenText = (ids: readonly number[]) => readonly string[];

export function stripOf(trace: TokenTrace, text: TokenText): TokenStrip {
  const records = Array.from({ length: traceLength(trace) }, (_, index) => recordAt(trace, index));
  const ids = records.map(({ id }) => id);
  const sampled = records.map((_, index) => isSampled(trace, index));
  return {
    ids,
    text: text(ids),
    logprobs: records.map(({ logprob }, index) => (sampled[index] === true ? logprob : null)),
    sampled,
    version: records.map(({ policyVersion }) => policyVersion),
  };
}

/** A stretch of sampled tokens: one turn of the agent. */
interface Stretch {
  readonly strip: number;
  readonly from: number;
  readonly to: number;
}

/** In the order of the agent's turns: what separates two of them was read, never sampled (rule L2). */
function stretchesOf(traces: readonly TokenTrace[]): Stretch[] {
  return traces.flatMap((trace, strip) => {
    const found: Stretch[] = [];
    const length = traceLength(trace);
    for (let at = 0; at < length; at++) {
      if (!isSampled(trace, at)) continue;
      const from = at;
      while (at < length && isSampled(trace, at)) at++;
      found.push({ strip, from, to: at });
    }
    return found;
  });
}

/** `turn`: index in the episode's turns. null where that is no turn of the agent's, or it left no tokens. */
export function promptOf({ turns, traces }: Episode, turn: number, text: TokenText): PromptPage | null {
  if (turns[turn]?.role !== 'agent') return null;
  const nth = turns.slice(0, turn).filter(({ role }) => role === 'agent').length;
  const stretches = stretchesOf(traces);
  const stretch = stretches[nth];
  if (stretch === undefined) return null;
  const before = stretches[nth - 1];
  const trace = traces[stretch.strip] as TokenTrace;
  const idsOf = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => recordAt(trace, from + i).id);
  const ids = idsOf(0, stretch.from);
  const sampled = idsOf(stretch.from, stretch.to);
  return {
    turn,
    strip: stretch.strip,
    ids,
    text: text(ids),
    known: before?.strip === stretch.strip ? before.to : 0,
    sampled: { ids: sampled, text: text(sampled) },
  };
}
