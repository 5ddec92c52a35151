/** What a step's first pass made of the tokens it trained, as frames of the record: one a group. Knows batches and frames; not how a pass is computed. */
import { TrainerFault } from '../errors.ts';
import { type PackedStep, sampledTokens } from '../learning/batch.ts';
import type { FrameOf } from '../protocol/frame.ts';
import type { GroupId, PolicyVersion } from '../protocol/ids.ts';
import { tokenSignals } from '../protocol/signals.ts';
import type { Pass } from './trainer.ts';

type Signals = FrameOf<'group.signals'>;

/**
 * In the order of the groups. A group's signals are smaller than the group, which fitted into a frame: 8 bytes a sampled token against 16 a token.
 * Throws TrainerFault where the pass does not have one entry for each token it was given: it would be some other token's.
 */
export function signalFrames({ batch, origins }: PackedStep, { logprobs, entropy }: Pass, version: PolicyVersion): Signals[] {
  const tokens = sampledTokens(batch.samples);
  if (logprobs.length !== tokens || entropy.length !== tokens)
    throw new TrainerFault(`the trainer answered ${logprobs.length} log-probs and ${entropy.length} entropies for ${tokens} tokens`);
  const groups = new Map<GroupId, { readonly step: Signals['step']; readonly traces: Signals['traces'] }>();
  let from = 0;
  for (const [index, sample] of batch.samples.entries()) {
    const to = from + sampledTokens([sample]);
    const { step, episode, trace } = origins[index] as PackedStep['origins'][number];
    const found = groups.get(sample.group) ?? { step, traces: [] };
    found.traces.push({ episode, trace, signals: tokenSignals(logprobs.subarray(from, to), entropy.subarray(from, to)) });
    groups.set(sample.group, found);
    from = to;
  }
  return [...groups].map(([group, { step, traces }]) => ({ kind: 'group.signals', step, group, version, traces }));
}
