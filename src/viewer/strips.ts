/** Token traces as a page shows them, and the prompts they hold: what the policy read up to each of its turns is the trace up to where it begins to sample. Knows no renderer: texts come through a port. */
import type { Episode } from '../protocol/episode.ts';
import type { PolicyVersion } from '../protocol/ids.ts';
import { areSignalsOf, signalAt, type TokenSignals } from '../protocol/signals.ts';
import { isSampled, recordAt, sampledBefore, type TokenTrace, traceLength } from '../protocol/trace.ts';
import type { PromptPage, StripOutline, TokenStrip } from './contract.ts';
import { nextTurn } from './next-turn.ts';
import { widthsOf } from './token-face.ts';

type TokenText = (ids: readonly number[]) => readonly string[];

/** Tokens beside a window that are looked at for its texts: one character may take several tokens. */
const margin = 8;

/** What the trainer made of a trace's tokens, and the version of its weights. */
export interface Seen {
  readonly version: PolicyVersion;
  readonly signals: TokenSignals;
}

interface Window {
  readonly from?: number;
  readonly count?: number;
  readonly seen?: Seen | undefined;
}

/** A window of the trace; all of it where nothing is said. */
export function stripOf(trace: TokenTrace, text: TokenText, { from = 0, count = Infinity, seen }: Window = {}): TokenStrip {
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
    ...(isOf(seen, trace) ? trainersView(seen.signals, sampledBefore(trace, begin), sampled) : {}),
  };
}

const isOf = (seen: Seen | undefined, trace: TokenTrace): seen is Seen => seen !== undefined && areSignalsOf(seen.signals, trace);

/** `before`: sampled tokens in front of the window. */
function trainersView(signals: TokenSignals, before: number, sampled: readonly boolean[]): Pick<TokenStrip, 'entropy' | 'trainer'> {
  let next = before;
  const records = sampled.map((is) => (is ? signalAt(signals, next++) : null));
  return { entropy: records.map((one) => one?.entropy ?? null), trainer: records.map((one) => one?.logprob ?? null) };
}

const idAt = (trace: TokenTrace, index: number): number => recordAt(trace, index).id;

/** Tokens laid out between two turns of everybody else. */
const chunk = 4000;

/** Laid out once for as long as the trace is held: a group is read again when the trainer has seen it. */
const outlines = new WeakMap<TokenTrace, Promise<StripOutline>>();

export function stripOutline(trace: TokenTrace, text: TokenText, seen?: Seen): Promise<StripOutline> {
  const known = outlines.get(trace) ?? laidOut(trace, text, seen);
  outlines.set(trace, known);
  return known;
}

async function laidOut(trace: TokenTrace, text: TokenText, seen: Seen | undefined): Promise<StripOutline> {
  const length = traceLength(trace);
  const widths: string[] = [];
  for (let from = 0; from < length; from += chunk) {
    if (from > 0) await nextTurn();
    widths.push(widthsOf(stripOf(trace, text, { from, count: chunk }).text));
  }
  const stretches = stretchesOf([trace]);
  const versions = new Set<number>();
  for (const { from, to } of stretches) for (let at = from; at < to; at++) versions.add(recordAt(trace, at).policyVersion);
  return {
    tokens: length,
    stretches: stretches.map(({ from, to }) => [from, to]),
    widths: widths.join(''),
    versions: [...versions].toSorted((a, b) => a - b),
    ...(isOf(seen, trace) ? { knows: ['entropy', 'trainer'], trainer: allInAll(trace, seen) } : { knows: [] }),
  };
}

function allInAll(trace: TokenTrace, { version, signals }: Seen): NonNullable<StripOutline['trainer']> {
  const sum = { entropy: 0, gap: 0, most: 0 };
  let n = 0;
  for (let at = 0; at < traceLength(trace); at++) {
    if (!isSampled(trace, at)) continue;
    const { logprob, entropy } = signalAt(signals, n++);
    const gap = Math.abs(recordAt(trace, at).logprob - logprob);
    sum.entropy += entropy;
    sum.gap += gap;
    sum.most = Math.max(sum.most, gap);
  }
  return { version, entropy: sum.entropy / Math.max(1, n), gap: sum.gap / Math.max(1, n), most: sum.most };
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
