/** One episode as people read it: who said what, which calls came to what, and how it ended. Structure only; how it looks is the command line's and the viewer's. */
import { canonical, type JsonValue } from '../../protocol/json.ts';
import type { Episode } from '../../protocol/episode.ts';
import type { RolloutGroup } from '../../protocol/group.ts';
import type { ToolCall, ToolSpec } from '../../protocol/tool.ts';
import type { Turn } from '../../protocol/turn.ts';
import { outcomeName, outcomeReason, tokensOf } from './episodes.ts';

export interface TranscriptLine {
  readonly who: 'system' | 'user' | 'agent' | 'tool';
  readonly kind: 'text' | 'thought' | 'call' | 'malformed' | 'result';
  readonly text: string;
}

export interface Transcript {
  readonly episode: string;
  readonly task: {
    readonly difficulty: number;
    readonly branch: string;
    readonly split: string;
    readonly persona: string;
    readonly intent: string;
  };
  /** `name(parameter, parameter?)` each. */
  readonly tools: readonly string[];
  readonly expected: readonly string[];
  readonly lines: readonly TranscriptLine[];
  readonly outcome: string;
  readonly reason: string;
  readonly reward: number | null;
  readonly gates: readonly { readonly name: string; readonly passed: boolean; readonly detail: string }[];
  readonly criteria: readonly { readonly name: string; readonly required: boolean; readonly met: boolean; readonly evidence: string }[];
  readonly promptTokens: number;
  readonly sampledTokens: number;
  readonly version: number | null;
  readonly attempt: number;
}

export function transcriptOf({ task }: RolloutGroup, episode: Episode): Transcript {
  const verdict = episode.outcome.kind === 'scored' ? episode.outcome.verdict : null;
  return {
    episode: episode.id,
    task: { difficulty: task.difficulty, branch: task.branch, split: task.split, persona: task.persona, intent: task.intent.summary },
    tools: task.tools.map(signatureOf),
    expected: task.expectedCalls.map(callText),
    lines: [{ who: 'system', kind: 'text', text: task.system }, ...episode.turns.flatMap(linesOf)],
    outcome: outcomeName(episode.outcome),
    reason: outcomeReason(episode.outcome),
    reward: episode.reward,
    gates: (verdict?.gates ?? []).map(({ name, passed, detail = '' }) => ({ name, passed, detail })),
    criteria: (verdict?.criteria ?? []).map(({ name, required, met, evidence = '' }) => ({ name, required, met, evidence })),
    ...tokensOf(episode),
    version: episode.policy?.end ?? null,
    attempt: episode.attempt,
  };
}

function linesOf(turn: Turn): TranscriptLine[] {
  switch (turn.role) {
    case 'user':
      return [{ who: 'user', kind: 'text', text: turn.text }];
    case 'agent': {
      const { thought, text, calls, malformed } = turn;
      return [
        ...(thought === '' ? [] : [{ who: 'agent', kind: 'thought', text: thought } as const]),
        ...(text === '' ? [] : [{ who: 'agent', kind: 'text', text } as const]),
        ...calls.map((call) => ({ who: 'agent', kind: 'call', text: callText(call) }) as const),
        ...(malformed === undefined ? [] : [{ who: 'agent', kind: 'malformed', text: `${malformed.raw} (${malformed.reason})` } as const]),
      ];
    }
    case 'tool':
      return [{ who: 'tool', kind: 'result', text: `${turn.call.name}: ${turn.status} ${valueText(turn.result)}` }];
    default:
      return turn satisfies never;
  }
}

const callText = ({ name, arguments: given }: ToolCall): string =>
  `${name}(${Object.entries(given)
    .map(([parameter, value]) => `${parameter}: ${valueText(value)}`)
    .join(', ')})`;

const valueText = (value: JsonValue): string => (typeof value === 'string' ? JSON.stringify(value) : canonical(value));

function signatureOf({ name, parameters }: ToolSpec): string {
  const properties = Object.keys((parameters['properties'] ?? {}) as { [key: string]: JsonValue });
  const required = new Set((parameters['required'] ?? []) as string[]);
  return `${name}(${properties.map((property) => (required.has(property) ? property : `${property}?`)).join(', ')})`;
}
