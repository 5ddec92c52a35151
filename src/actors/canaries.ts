/** Episodes whose verdict is known: tasks of the procedural world, played by the oracle and by agents that slip, in equal shares of each reward. Asks no judge but the world's own. */
import { aspectsAt } from '../learning/curriculum.ts';
import type { Reward, Verdict } from '../protocol/outcome.ts';
import type { TaskId } from '../protocol/ids.ts';
import type { Task } from '../protocol/task.ts';
import type { Turn } from '../protocol/turn.ts';
import { type Seed, seedOf, stream, type Stream } from '../random.ts';
import type { JudgeView } from '../simulation/contract.ts';
import { examine } from '../simulation/verdict/gates.ts';
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
  /** Least difficulty: where less is required, less can be told. */
  readonly from: number;
  /** `failsGate` undefined: not known yet. */
  fits(reward: Reward, failsGate: boolean | undefined): boolean;
}

/** Two of each reward in six. Rules alone can tell one of the six: the others pass every gate, and the model is asked. */
const strata: readonly Stratum[] = [
  { slips: ['none'], from: 20, fits: (reward) => reward === 1 },
  { slips: wordSlips, from: 20, fits: (reward, failsGate) => reward === -1 && failsGate !== true },
  { slips: ['idle'], from: 75, fits: (reward, failsGate) => reward === 0 && failsGate !== true },
  { slips: ['none', 'chatty', 'idle', 'mended'], from: 20, fits: (reward) => reward === 1 },
  { slips: callSlips, from: 20, fits: (reward, failsGate) => reward === -1 && failsGate !== false },
  { slips: ['detour', 'repeated', 'chatty', 'mended'], from: 60, fits: (reward, failsGate) => reward === 0 && failsGate !== true },
];
/** Tasks tried for one whose episode fits; what does not is passed over. */
const patience = 100;

/** So many canaries; the same seed always gives the same. */
export function canaries(count: number, seed: Seed): Canary[] {
  return Array.from({ length: count }, (_, index) => canary(index, seedOf(seed, index))).filter((each) => each !== undefined);
}

function canary(index: number, seed: Seed): Canary | undefined {
  const { slips, from, fits } = strata[index % strata.length] as Stratum;
  for (let tried = 0; tried < patience; tried++) {
    const draws = stream(seedOf(seed, tried));
    const id = `canary${index}.${tried}`;
    const task = drawn(id, from, draws);
    for (const slip of draws.shuffle(slips)) {
      const { turns, world, verdict } = play(task, slip === 'none' ? oracle : slipping(slip, seedOf(seed, tried, slip)));
      // Nearly all that does not fit has another reward, and need not be looked at closer.
      if (verdict === null || !fits(verdict.reward, undefined)) continue;
      const view: JudgeView = { task: rehearsed(task), turns: turns.map(unthought), world };
      if (
        fits(
          verdict.reward,
          examine(view).gates.some(({ passed }) => !passed),
        )
      )
        return { id, view, truth: verdict };
    }
  }
  return undefined;
}

/** Episodes side by side. */
const benchSize = 4;
const benchSlips: readonly (Slip | 'none')[] = ['none', ...wordSlips, 'mended', 'repeated', 'detour'];

/** About so many canaries in benches: different episodes of one task, all for the model to tell, in drawn order. */
export function benches(count: number, seed: Seed): Canary[][] {
  return Array.from({ length: Math.max(1, Math.round(count / benchSize)) }, (_, index) =>
    bench(index, seedOf(seed, 'bench', index)),
  ).filter(({ length }) => length > 1);
}

function bench(index: number, seed: Seed): Canary[] {
  const draws = stream(seed);
  const id = `bench${index}`;
  const task = drawn(id, 20, draws);
  const shown = rehearsed(task);
  const found: Canary[] = [];
  for (const slip of draws.shuffle(benchSlips)) {
    if (found.length === benchSize) break;
    const { turns, world, verdict } = play(task, slip === 'none' ? oracle : slipping(slip, seedOf(seed, slip)));
    if (verdict === null) continue;
    const view: JudgeView = { task: shown, turns: turns.map(unthought), world };
    if (examine(view).gates.every(({ passed }) => passed)) found.push({ id: `${id}.${slip}`, view, truth: verdict });
  }
  return found;
}

function drawn(id: string, from: number, draws: Stream): Task {
  const D = from + draws.int(101 - from);
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
