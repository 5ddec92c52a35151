/** Decides what a task asks for: which branch, which calls with which arguments, and which of them come from earlier results. Knows offers and values; not how people talk. */
import type { JsonObject, JsonValue } from '../../protocol/json.ts';
import type { Branch } from '../../protocol/task.ts';
import type { Stream } from '../../random.ts';
import type { TaskView } from '../contract.ts';
import { pointer } from './lexicon.ts';
import type { Offer, Slot, Words } from './offer.ts';
import type { Scene } from './scene.ts';
import type { Values } from './values.ts';
import type { Wish } from './wording.ts';

/** How often what happens in this world: shares in [0, 1]. Plain data. */
export interface WorldMix {
  /** Under which names tools are shown: `drawn` anew for each task, or their `own`, for writers who must not choose names. Tools under their own names are never busy. */
  readonly names: 'drawn' | 'own';
  /** What a good agent does first; the shares sum to 1. Below `plainBelow` all tasks are calls. */
  readonly branches: { readonly [branch in Branch]: number };
  /** Share of calls that meet a transient error the first time. */
  readonly transient: number;
  /** Share of tasks that look for something that does not exist, and must be told so. */
  readonly absent: number;
  /** Share of training tasks whose built-in tools get drawn words too, so that no tool's parameters can be learnt by heart. Held-out tasks keep the tools' own. */
  readonly scramble: number;
  /** Which topics drawn tools may be described by. */
  readonly words: Words;
  /** Share of highly ambiguous requests that leave a required argument out, beyond the branch `ask`. */
  readonly vague: number;
  /** Least share of later calls that take an argument from an earlier result; it rises to 0.75 at D = 100. */
  readonly dependent: number;
}

export const defaultMix: WorldMix = {
  names: 'drawn',
  branches: { call: 0.7, ask: 0.12, answer: 0.06, none: 0.12 },
  transient: 0.05,
  absent: 0.04,
  scramble: 0.5,
  words: 'split',
  vague: 0.2,
  dependent: 0.25,
};

/** Below this D every task is a plain call: the branches, failures and notes come later. */
export const plainBelow = 8;

export interface PlannedCall {
  readonly offer: Offer;
  readonly arguments: JsonObject;
  readonly needs: readonly number[];
  readonly wish: Wish;
  /** The value it gives; undefined where it finds nothing. */
  readonly result: JsonValue | undefined;
}

export function drawBranch({ difficulty, aspects }: TaskView, offers: readonly Offer[], mix: WorldMix, draws: Stream): Branch {
  if (difficulty < plainBelow) return 'call';
  let at = draws.next() * (mix.branches.call + mix.branches.ask + mix.branches.answer + mix.branches.none);
  let branch: Branch = (['ask', 'answer', 'none'] as const).find((name) => (at -= mix.branches[name]) < 0) ?? 'call';
  if (branch === 'call' && aspects.query.value === 2 && draws.chance(mix.vague)) branch = 'ask';
  return branch === 'ask' && !offers.some(canMiss) ? 'call' : branch;
}

const canMiss = ({ slots }: Offer): boolean => slots.some(({ required }) => required);

/** Different tools where there are enough; the first one can miss an argument where it must. */
export function chooseTools(offers: readonly Offer[], count: number, branch: Branch, draws: Stream): Offer[] {
  const shuffled = draws.shuffle(offers);
  if (branch === 'ask') {
    const first = shuffled.findIndex(canMiss);
    shuffled.unshift(...shuffled.splice(first, 1));
  }
  return Array.from({ length: count }, (_, index) => shuffled[index % shuffled.length] as Offer);
}

/** Plans the calls in order, each against the world the earlier ones lead to. `missing`: the slot of the first call that the user does not say. */
export function planCalls(
  chosen: readonly Offer[],
  scene: Scene,
  values: Values,
  draws: Stream,
  { dependent, optional, absent, ask }: { dependent: number; optional: number; absent: boolean; ask: boolean },
): { calls: PlannedCall[]; missing: Slot | undefined } {
  const calls: PlannedCall[] = [];
  let missing: Slot | undefined;
  for (const [index, offer] of chosen.entries()) {
    const given = offer.slots.filter(({ required }) => required || draws.chance(optional));
    const source = index > 0 && draws.chance(dependent) ? sourceFor(given, calls, draws) : undefined;
    const args: JsonObject = {};
    for (const slot of given) args[slot.term.word] = source?.slot === slot ? source.value : values.draw(slot.domain);
    if (ask && index === 0) missing = draws.pick(given.filter(({ required }) => required));
    const said = given
      .filter((slot) => slot !== missing || index > 0)
      .map((slot) => ({ slot, value: source?.slot === slot ? { pointer: source.pointer } : (args[slot.term.word] as JsonValue) }));
    const result = scene.call(offer, { name: offer.spec.name, arguments: args }, absent && index === chosen.length - 1);
    calls.push({ offer, arguments: args, needs: source === undefined ? [] : [source.index], wish: { topic: offer.topic, said }, result });
  }
  return { calls, missing };
}

/** A slot that an earlier result fits, and the word that points to that result: the last one, or in a third call also the first one. */
function sourceFor(
  given: readonly Slot[],
  calls: readonly PlannedCall[],
  draws: Stream,
): { slot: Slot; index: number; pointer: string; value: JsonValue } | undefined {
  const sources = calls.length > 1 ? [calls.length - 1, 0] : [0];
  const fitting = sources.flatMap((index) =>
    given.flatMap((slot) => {
      const { offer, result } = calls[index] as PlannedCall;
      if (
        result === undefined ||
        slot.domain.kind === 'choice' ||
        slot.domain.kind === 'flag' ||
        slot.domain.kind !== offer.gives.domain.kind
      )
        return [];
      if (slot.domain.values !== undefined) {
        if (!slot.domain.values.includes(result)) return [];
      } else if (typeof result === 'number' && (result < (slot.domain.minimum ?? 1) || result > (slot.domain.maximum ?? 20))) return [];
      return [{ slot, index, pointer: index === calls.length - 1 ? pointer.it : pointer.first, value: result }];
    }),
  );
  return fitting.length === 0 ? undefined : draws.pick(fitting);
}
