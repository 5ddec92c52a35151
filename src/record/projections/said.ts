/** All that was said, called, answered, thought, judged or went wrong in an episode, as one text to search in. Knows no filter; keeps no structure. */
import type { Episode } from '../../protocol/episode.ts';
import type { Fault } from '../../protocol/fault.ts';
import type { JsonValue } from '../../protocol/json.ts';
import type { Outcome } from '../../protocol/outcome.ts';
import type { Turn } from '../../protocol/turn.ts';

/** One line a saying, in their order. Values stand as they are, without JSON's escapes; an object's as `key: value`. */
export const saidIn = ({ turns, outcome }: Pick<Episode, 'turns' | 'outcome'>): string =>
  [...turns.flatMap(ofTurn), ...ofOutcome(outcome)].filter((line) => line !== '').join('\n');

function ofTurn(turn: Turn): string[] {
  switch (turn.role) {
    case 'user':
      return [turn.text];
    case 'agent':
      return [
        turn.thought,
        turn.text,
        ...turn.calls.flatMap((call) => [call.name, ...ofValue(call.arguments)]),
        ...(turn.malformed === undefined ? [] : [turn.malformed.raw, turn.malformed.reason]),
      ];
    case 'tool':
      // Its call was said by the agent already.
      return [`${turn.call.name}: ${turn.status}`, ...ofValue(turn.result)];
    default:
      return turn satisfies never;
  }
}

function ofOutcome(outcome: Outcome): string[] {
  switch (outcome.kind) {
    case 'scored':
      return [
        ...outcome.verdict.gates.map(({ name, detail = '' }) => `${name}: ${detail}`),
        ...outcome.verdict.criteria.map(({ name, evidence = '' }) => `${name}: ${evidence}`),
      ];
    case 'policyFault':
    case 'truncated':
      return [outcome.reason];
    case 'simulatorFault':
    case 'judgeFault':
    case 'infraFault':
      return ofFault(outcome.fault);
    default:
      return outcome satisfies never;
  }
}

const ofFault = ({ kind, message, raw = '', causes = [] }: Fault): string[] => [`${kind}: ${message}`, raw, ...causes];

function ofValue(value: JsonValue): string[] {
  if (Array.isArray(value)) return value.flatMap(ofValue);
  if (typeof value !== 'object' || value === null) return [String(value)];
  return Object.entries(value).flatMap(([key, inner]) =>
    typeof inner === 'object' && inner !== null ? [key, ...ofValue(inner)] : [`${key}: ${String(inner)}`],
  );
}
