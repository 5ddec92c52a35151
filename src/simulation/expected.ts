/** Which of the calls that were made are the ones a task expects, and what the world would be had only those been made. Knows no tool and reads no text. */
import { canonical } from '../protocol/json.ts';
import type { Task } from '../protocol/task.ts';
import type { ToolTurn } from '../protocol/turn.ts';
import type { World } from '../protocol/world.ts';
import { applyPatch, complaintsAbout, occurrenceKey } from './state.ts';

export interface Matching {
  /** One per expected call: the index among the results that made it, or -1. */
  readonly made: readonly number[];
}

/**
 * Makes each expected call by the earliest result that fits, after those it needs. It fits with equal arguments, or with the same result where the rehearsal tells it;
 * a look-up that was to find nothing proves nothing unless it looked for the right thing. One result serves one expected call, but that an equal look-up need not be made twice.
 */
export function matched(task: Task, results: readonly ToolTurn[]): Matching {
  const taken = new Set<number>();
  const made: number[] = [];
  for (const [index, expected] of task.expectedCalls.entries()) {
    const rehearsed = task.rehearsal?.[index];
    const key = occurrenceKey(expected);
    const reads = task.tools.find(({ name }) => name === expected.name)?.effects === 'read';
    const needed = expected.needs.map((need) => made[need] ?? -1);
    const after = needed.includes(-1) ? Infinity : Math.max(-1, ...needed);
    const free = results.flatMap((turn, at) =>
      at > after && turn.call.name === expected.name && (reads || !taken.has(at)) && isAnswer(turn, rehearsed?.status)
        ? [{ turn, at }]
        : [],
    );
    const hit =
      free.find(({ turn }) => occurrenceKey(turn.call) === key) ??
      free.find(({ turn }) => rehearsed?.status === 'ok' && canonical(turn.result) === canonical(rehearsed.result));
    made.push(hit?.at ?? -1);
    if (hit !== undefined) taken.add(hit.at);
  }
  return { made };
}

const isAnswer = ({ status }: ToolTurn, rehearsed: ToolTurn['status'] | undefined): boolean =>
  rehearsed === undefined ? status === 'ok' || status === 'notFound' : status === rehearsed;

/** A result that changed the world beyond what the expected calls did; undefined where the world is what they alone make of it. */
export function sideEffect({ world: start }: Task, results: readonly ToolTurn[], { made }: Matching, world: World): ToolTurn | undefined {
  const extra = results.filter(({ patch }, at) => !made.includes(at) && patch.some(({ op }) => op !== 'count'));
  if (extra.length === 0) return undefined;
  let alone = start;
  for (const [at, { patch }] of results.entries()) {
    if (!made.includes(at)) continue;
    if (complaintsAbout(alone, patch).length > 0) return extra[0];
    alone = applyPatch(alone, patch);
  }
  return canonical(alone.entities) === canonical(world.entities) ? undefined : extra[0];
}
