/** One row of episodes.jsonl a member of a group, missing members included. No wall times, no token ids: for people and other tools. */
import type { Episode } from '../../protocol/episode.ts';
import type { RolloutGroup } from '../../protocol/group.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { Outcome } from '../../protocol/outcome.ts';
import { sampledLength, traceLength } from '../../protocol/trace.ts';
import type { Turn } from '../../protocol/turn.ts';

/** Members in order. With `transcripts` each row holds what was said. */
export function episodeRows(group: RolloutGroup, { transcripts }: { readonly transcripts: boolean }): JsonObject[] {
  const head = {
    v: 1,
    step: group.step,
    group: group.id,
    split: group.task.split,
    difficulty: group.task.difficulty,
    branch: group.task.branch,
    tools: group.task.tools.length,
    expectedCalls: group.task.expectedCalls.length,
  };
  const rows = group.episodes.map((episode) => ({
    ...head,
    member: episode.member,
    episode: episode.id,
    attempt: episode.attempt,
    outcome: outcomeName(episode.outcome),
    reason: outcomeReason(episode.outcome),
    reward: episode.reward,
    turns: episode.turns.length,
    calls: episode.turns.reduce((sum, turn) => sum + (turn.role === 'agent' ? turn.calls.length : 0), 0),
    ...tokensOf(episode),
    // More than one where the chat template rewrites the past, so that the history had to be split (rule L1).
    traces: episode.traces.length,
    version: episode.policy?.end ?? null,
    ...(transcripts ? { transcript: episode.turns.map(turnRow) } : {}),
  }));
  const missing = group.missing.map(({ member, fault }) => ({
    ...head,
    member,
    episode: null,
    outcome: `missing.${fault.kind}`,
    reason: fault.message,
    reward: null,
  }));
  return [...rows, ...missing].toSorted((a, b) => a.member - b.member);
}

/** `scored`, `policyFault`, `simulatorFault.tool`, `truncated.budget`, …: the words the census counts by. */
export function outcomeName(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'simulatorFault':
      return `simulatorFault.${outcome.role}`;
    case 'truncated':
      return `truncated.${outcome.by}`;
    case 'scored':
    case 'policyFault':
    case 'judgeFault':
    case 'infraFault':
      return outcome.kind;
    default:
      return outcome satisfies never;
  }
}

export function outcomeReason(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'scored': {
      const missed: string[] = [];
      for (const { name, passed } of outcome.verdict.gates) if (!passed) missed.push(name);
      for (const { name, required, met } of outcome.verdict.criteria) if (required && !met) missed.push(name);
      return missed.join(', ');
    }
    case 'policyFault':
    case 'truncated':
      return outcome.reason;
    case 'simulatorFault':
    case 'judgeFault':
    case 'infraFault':
      return outcome.fault.message;
    default:
      return outcome satisfies never;
  }
}

/** Over all traces: tokens the policy read, and tokens it sampled. */
export function tokensOf({ traces }: Episode): { readonly promptTokens: number; readonly sampledTokens: number } {
  let sampledTokens = 0;
  let all = 0;
  for (const trace of traces) {
    all += traceLength(trace);
    sampledTokens += sampledLength(trace);
  }
  return { promptTokens: all - sampledTokens, sampledTokens };
}

function turnRow(turn: Turn): JsonObject {
  switch (turn.role) {
    case 'user':
      return { role: 'user', text: turn.text };
    case 'agent':
      return {
        role: 'agent',
        thought: turn.thought,
        text: turn.text,
        calls: turn.calls,
        ...(turn.malformed === undefined ? {} : { malformed: turn.malformed }),
      };
    case 'tool':
      return { role: 'tool', call: turn.call, status: turn.status, result: turn.result };
    default:
      return turn satisfies never;
  }
}
