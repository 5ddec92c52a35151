/** The trainer's view of every token as a journal holds it, beside what the sampler said of the same tokens. */
import { join } from 'node:path';
import { unpack } from '../../src/protocol/codec.ts';
import type { FrameOf } from '../../src/protocol/frame.ts';
import type { RolloutGroup } from '../../src/protocol/group.ts';
import { signalAt, signalsLength } from '../../src/protocol/signals.ts';
import { isSampled, recordAt, traceLength } from '../../src/protocol/trace.ts';
import { framesFrom } from '../../src/record/reader.ts';

/** Of one step. */
export interface Means {
  readonly tokens: number;
  /** Mean |trainer − sampler| and mean entropy, over all tokens that were trained. */
  readonly gap: number;
  readonly entropy: number;
}

/** The last frame of each group, by group. */
export function signalsIn(dir: string): Map<string, FrameOf<'group.signals'>> {
  const found = new Map<string, FrameOf<'group.signals'>>();
  for (const { frame } of framesFrom(join(dir, 'journal'))) if (frame.kind === 'group.signals') found.set(frame.group, frame);
  return found;
}

/** By step. Throws where a trace has not one record for each token that was sampled. */
export function meansIn(dir: string): Map<string, Means> {
  const groups = new Map<string, RolloutGroup>();
  for (const { frame } of framesFrom(join(dir, 'journal')))
    if (frame.kind === 'group.sealed') groups.set(frame.envelope.group, unpack(frame.bytes) as RolloutGroup);
  const sums = new Map<string, { tokens: number; gap: number; entropy: number }>();
  for (const [id, { step, traces }] of signalsIn(dir)) {
    const sum = sums.get(step) ?? { tokens: 0, gap: 0, entropy: 0 };
    sums.set(step, sum);
    for (const { episode, trace, signals } of traces) {
      const tokens = groups.get(id)?.episodes.find((one) => one.id === episode)?.traces[trace];
      if (tokens === undefined) throw new Error(`signals of ${episode}, trace ${trace}, which is not there`);
      let n = 0;
      for (let i = 0; i < traceLength(tokens); i++) {
        if (!isSampled(tokens, i)) continue;
        const { logprob, entropy } = signalAt(signals, n++);
        sum.tokens++;
        sum.gap += Math.abs(logprob - recordAt(tokens, i).logprob);
        sum.entropy += entropy;
      }
      if (n !== signalsLength(signals)) throw new Error(`${signalsLength(signals)} signals of ${n} tokens of ${episode}`);
    }
  }
  return new Map([...sums].map(([step, { tokens, gap, entropy }]) => [step, { tokens, gap: gap / tokens, entropy: entropy / tokens }]));
}
