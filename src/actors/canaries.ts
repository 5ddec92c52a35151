/** Episodes whose verdict is known: tasks of the procedural world, played by the oracle and by agents that slip, in equal shares of each reward. Asks no judge but the world's own. */
import { aspectsAt } from '../learning/curriculum.ts';
import type { Verdict } from '../protocol/outcome.ts';
import type { TaskId } from '../protocol/ids.ts';
import type { Task } from '../protocol/task.ts';
import type { Turn } from '../protocol/turn.ts';
import { type Seed, seedOf, stream, type Stream } from '../random.ts';
import type { JudgeView } from '../simulation/contract.ts';
import { examine } from '../simulation/gates.ts';
import { oracle, play } from '../simulation/procedural/oracle.ts';
import { callSlips, type Slip, slipping, wordSlips } from '../simulation/procedural/slips.ts';
import { builtinRepository } from '../simulation/procedural/repository.ts';
import { writeTask } from '../simulation/procedural/task.ts';
import { subset } from '../tools/repository.ts';

export interface Canary {
  readonly id: string;
  readonly view: JudgeView;
  readonly truth: Verdict;
}

/** What an episode must be like. */
interface Stratum {
  readonly slips: readonly (Slip | 'none')[];
  fits(truth: Verdict, failsGate: boolean): boolean;
}

/** Two of each reward in six. Rules alone can tell one of the six: the others pass every gate, and the model is asked. */
const strata: readonly Stratum[] = [
  { slips: ['none'], fits: ({ reward }) => reward === 1 },
  { slips: wordSlips, fits: ({ reward }, failsGate) => reward === -1 && !failsGate },
  { slips: ['idle'], fits: ({ reward }, failsGate) => reward === 0 && !failsGate },
  { slips: ['none', 'chatty', 'idle', 'mended'], fits: ({ reward }) => reward === 1 },
  { slips: callSlips, fits: ({ reward }, failsGate) => reward === -1 && failsGate },
  { slips: ['detour', 'repeated', 'chatty', 'mended'], fits: ({ reward }, failsGate) => reward === 0 && !failsGate },
];
/** Episodes tried for one that fits; what does not is passed over. */
const patience = 300;
/** At lower difficulty little is required, so that little can be told. */
const difficulty = { from: 20, to: 100 } as const;

/** So many canaries; the same seed always gives the same. */
export function canaries(count: number, seed: Seed): Canary[] {
  return Array.from({ length: count }, (_, index) => canary(index, seedOf(seed, index))).filter((each) => each !== undefined);
}

function canary(index: number, seed: Seed): Canary | undefined {
  const stratum = strata[index % strata.length] as Stratum;
  for (let tried = 0; tried < patience; tried++) {
    const draws = stream(seedOf(seed, tried));
    const id = `canary${index}.${tried}`;
    const task = rehearsed(drawn(id, draws));
    const slip = draws.pick(stratum.slips);
    const { turns, world, verdict } = play(task, slip === 'none' ? oracle : slipping(slip, seedOf(seed, tried, slip)));
    if (verdict === null) continue;
    const view: JudgeView = { task, turns: turns.map(unthought), world };
    if (
      stratum.fits(
        verdict,
        examine(view).gates.some(({ passed }) => !passed),
      )
    )
      return { id, view, truth: verdict };
  }
  return undefined;
}

function drawn(id: string, draws: Stream): Task {
  const D = difficulty.from + draws.int(difficulty.to - difficulty.from + 1);
  const aspects = aspectsAt(D, draws, 0);
  const tools = subset(builtinRepository, aspects.tools.value, draws, 'train');
  return writeTask({ id: id as TaskId, split: 'train', difficulty: D, aspects, tools, seed: seedOf(draws.seed, 'task') });
}

/** As a task that a language model wrote: it holds what each expected call was answered. */
function rehearsed(task: Task): Task {
  const answers = play(task, oracle).turns.flatMap((turn) => (turn.role === 'tool' && turn.status !== 'transient' ? [turn] : []));
  return { ...task, rehearsal: answers.map(({ status, result, patch }) => ({ status, result, patch })) };
}

const unthought = (turn: Turn): Turn => (turn.role === 'agent' ? { ...turn, thought: '' } : turn);
