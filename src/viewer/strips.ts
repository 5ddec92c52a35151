/** Token traces as a page shows them, and the prompts they hold: what the policy read up to each of its turns is the trace up to where it begins to sample. Knows no renderer: texts come through a port. */
import type { Episode } from '../protocol/episode.ts';
import { isSampled, recordAt, type TokenTrace, traceLength } from '../protocol/trace.ts';
import type { PromptPage, StripOutline, TokenStrip } from './contract.ts';
import { widthsOf } from './token-face.ts';

type TokenText = (ids: readonly number[]) => readonly string[];

/** Tokens beside a window that are looked at for its texts: one character may take several tokens. */
const margin = 8;

/** A window of the trace; all of it where nothing is said. */
export function stripOf(trace: TokenTrace, text: TokenText, from = 0, count = Infinity): TokenStrip {
  const length = traceLength(trace);
  const [begin, end] = [Math.min(from, length), Math.min(from + count, length)];
  const [early, late] = [Math.max(0, begin - margin), Math.min(length, end + margin)];
  const records = Array.from({ length: end - begin }, (_, index) => recordAt(trace, begin + index));
  const sampled = records.map((_, index) => isSampled(trace, begin + index));
  const around = Array.from({ length: late - early }, (_, index) => idAt(trace, early + index));
  return {
    ids: records.map(({ id }) => id),
    text: text(around).slice(begin - early, end - early),
    logprobs: records.map(({ logprob }, index) => (sampled[index] === true ? logprob : null)),
    sampled,
    version: records.map(({ policyVersion }) => policyVersion),
  };
}

const idAt = (trace: TokenTrace, index: number): number => recordAt(trace, index).id;

/** Tokens laid out between two turns of everybody else. */
const chunk = 4000;

/** Laid out once for as long as the trace is held. */
const outlines = new WeakMap<TokenTrace, Promise<StripOutline>>();

export function stripOutline(trace: TokenTrace, text: TokenText): Promise<StripOutline> {
  const known = outlines.get(trace) ?? laidOut(trace, text);
  outlines.set(trace, known);
  return known;
}

async function laidOut(trace: TokenTrace, text: TokenText): Promise<StripOutline> {
  const length = traceLength(trace);
  const bare = stripOf(trace, text, 0, 0);
  const widths: string[] = [];
  for (let from = 0; from < length; from += chunk) {
    if (from > 0) await new Promise((resolve) => setImmediate(resolve));
    widths.push(widthsOf(stripOf(trace, text, from, chunk).text));
  }
  const stretches = stretchesOf([trace]);
  const versions = new Set<number>();
  for (const { from, to } of stretches) for (let at = from; at < to; at++) versions.add(recordAt(trace, at).policyVersion);
  return {
    tokens: length,
    stretches: stretches.map(({ from, to }) => [from, to]),
    widths: widths.join(''),
    versions: [...versions].toSorted((a, b) => a - b),
    knows: (['entropy', 'trainer'] as const).filter((column) => column in bare),
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
  const idsOf = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => idAt(trace, from + i));
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
