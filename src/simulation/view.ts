/** What a task writer is given: tools drawn at the difficulty, everything else passed on. Knows which tools exist; writes nothing. */
import { type Repository, subset } from '../tools/repository.ts';
import { seedOf, stream } from '../random.ts';
import type { TaskView } from './contract.ts';

/** Draws the candidate tools: as many as the aspect says, same category first, of the view's split only (rule L12). */
export function taskView(repository: Repository, { id, split, difficulty, aspects, seed }: Omit<TaskView, 'tools'>): TaskView {
  const tools = subset(repository, aspects.tools.value, stream(seedOf(seed, 'tools')), split);
  return { id, split, difficulty, aspects, tools, seed };
}
