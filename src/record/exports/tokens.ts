/**
 * Token-exact JSONL for other trainers: one line a trace, from which the trace can be made again bit for bit. Knows tokens, rewards and versions; not what was said.
 * Log-probs are float32: each is written as the shortest decimal that rounds to it, so a reader's float32 is the recorded one. JSON has no NaN: null stands for what is no number.
 * A trace that was trained has two columns more: what the trainer made of each sampled token, and `trainerVersion`, of the weights it saw them with.
 */
import { areSignalsOf, signalAt, type TokenSignals } from '../../protocol/signals.ts';
import { isSampled, flag, recordAt, traceLength, type TokenTrace } from '../../protocol/trace.ts';
import type { Member } from './member.ts';

/** Lines of one episode, each with its newline: several where the chat template rewrote the past and the history was split; none where the policy was never asked. */
export const tokenLines = (member: Member): string[] => member.episode.traces.map((trace, index) => lineOf(member, trace, index));

function lineOf({ run, group, episode, advantage, seen }: Member, trace: TokenTrace, index: number): string {
  const records = Array.from({ length: traceLength(trace) }, (_, at) => recordAt(trace, at));
  const trained = signalsOf(seen, trace, index);
  const head = {
    v: 1,
    run,
    step: group.step,
    group: group.id,
    episode: episode.id,
    member: episode.member,
    trace: index,
    traces: episode.traces.length,
    split: group.task.split,
    reward: episode.reward,
    advantage,
    ...(trained === null ? {} : { trainerVersion: seen?.version }),
  };
  const columns = {
    ids: records.map(({ id }) => id).join(),
    // 0 where not sampled: the mask tells.
    logprobs: records.map(({ logprob }) => floatText(logprob)).join(),
    mask: records.map((_, at) => (isSampled(trace, at) ? 1 : 0)).join(),
    versions: records.map(({ policyVersion }) => policyVersion).join(),
    // Places of sampled stop tokens.
    stops: records.flatMap(({ flags }, at) => ((flags & flag.stop) === 0 ? [] : [at])).join(),
    ...(trained === null ? {} : trainersView(trace, trained)),
  };
  const lists = Object.entries(columns).map(([name, values]) => `,"${name}":[${values}]`);
  return `${JSON.stringify(head).slice(0, -1)}${lists.join('')}}\n`;
}

function signalsOf(seen: Member['seen'], trace: TokenTrace, index: number): TokenSignals | null {
  const signals = seen?.signals[index] ?? null;
  return signals !== null && areSignalsOf(signals, trace) ? signals : null;
}

/** 0 where not sampled, as in `logprobs`. */
function trainersView(trace: TokenTrace, signals: TokenSignals): { readonly trainer: string; readonly entropy: string } {
  let next = 0;
  const unseen = { logprob: 0, entropy: 0 };
  const seen = Array.from({ length: traceLength(trace) }, (_, at) => (isSampled(trace, at) ? signalAt(signals, next++) : unseen));
  return { trainer: seen.map(({ logprob }) => floatText(logprob)).join(), entropy: seen.map(({ entropy }) => floatText(entropy)).join() };
}

/** Six to nine digits are enough for any float32 (IEEE 754); a double's seventeen would say nothing more. */
function floatText(value: number): string {
  if (!Number.isFinite(value)) return 'null';
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0';
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}
