/**
 * The canary: for each version, before anything is sampled from it, sampler and trainer must give the same tokens the same log-probs, or what is sampled is not what is trained.
 * Two calls on one prompt: what the sampler likes best (temperature 0) shows other weights at once, what it draws (temperature 1) shows a distribution that was cut or heated.
 * Knows one prompt and one bound; not how weights travel.
 */
import { TrainerFault } from '../errors.ts';
import { sampledTokens, type TokenSample } from '../learning/batch.ts';
import type { CallId, GroupId, PolicyVersion } from '../protocol/ids.ts';
import type { TokenReply, TokenRequest } from '../protocol/inference.ts';
import type { Trainer } from './trainer.ts';

export interface Canary {
  readonly prompt: TokenRequest['ids'];
  readonly stop: readonly number[];
  /** Largest |Δ log-prob| between sampler and trainer on one token; Infinity = they have nothing to agree on, and only the version is looked at. */
  readonly bound: number;
}

/**
 * Asks every server each of the requests: one list of replies a server, in the order of the requests.
 * Never answered from the record: a reply of yesterday proves nothing about what answers today.
 */
export type Sing = (requests: readonly TokenRequest[], signal: AbortSignal) => Promise<readonly (readonly TokenReply[])[]>;

/** The group of the canary's calls: no task's, never sealed. */
export const canaryGroup = 'canary' as GroupId;

const canaryTokens = 16;

/** Resolves with the largest |Δ log-prob| over all tokens and servers; null without a bound. Rejects with TrainerFault when it is beyond the bound, or another version answers. */
export async function verifyCanary(
  canary: Canary,
  trainer: Trainer,
  sing: Sing,
  version: PolicyVersion,
  /** A serial number: no two calls of a process have one id. */
  serial: number,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<number | null> {
  const requests = [0, 1].map((temperature): TokenRequest => ({
    id: `canary-${version}-${serial}-${temperature === 0 ? 'greedy' : 'sampled'}` as CallId,
    role: 'policy',
    version,
    ids: canary.prompt,
    n: 1,
    seed: version,
    stop: [...canary.stop],
    maxTokens: canaryTokens,
    temperature,
    priority: 0,
    group: canaryGroup,
    deadlineMs,
  }));
  const replies = (await sing(requests, signal)).flat();
  const wrong = replies.find((reply) => reply.version !== version);
  if (wrong !== undefined) throw new TrainerFault(`canary: version ${wrong.version} answered for version ${version}: stale weights`);
  const samples = replies.flatMap((reply) => reply.samples.map(({ ids, logprobs }) => sung(canary.prompt, ids, logprobs)));
  if (samples.length < requests.length) throw new TrainerFault(`canary: version ${version} did not answer`);
  if (canary.bound === Infinity) return null;
  const trained = await trainer.logprobs({ samples, denominator: sampledTokens(samples) });
  const gap = largestGap(samples, trained);
  if (!(gap <= canary.bound))
    throw new TrainerFault(
      `canary: sampler and trainer disagree by ${gap} on a log-prob of version ${version}; the bound is ${canary.bound} (trainer.canary)`,
    );
  return gap;
}

function sung(prompt: Int32Array, said: Int32Array, logprobs: Float32Array): TokenSample {
  const ids = Int32Array.from([...prompt, ...said]);
  const whole = new Float32Array(ids.length);
  whole.set(logprobs, prompt.length);
  return { group: canaryGroup, ids, sampled: Uint8Array.from(ids, (_, i) => (i < prompt.length ? 0 : 1)), logprobs: whole, advantage: 0 };
}

/** `trained`: one per sampled token, samples in order. NaN where either is: no bound admits that. */
function largestGap(samples: readonly TokenSample[], trained: Float32Array): number {
  const said = samples.flatMap(({ sampled, logprobs }) => [...logprobs].filter((_, i) => sampled[i] === 1));
  return said.reduce((most, logprob, i) => Math.max(most, Math.abs((trained[i] ?? Number.NaN) - logprob)), 0);
}
