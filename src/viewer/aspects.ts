/** What the curriculum allowed and what was drawn of it: the seven aspects over the tasks of one step. */
import type { AspectName, Aspects } from '../protocol/task.ts';
import type { DrawnAspect, RunPage } from './contract.ts';

export type Drawn = NonNullable<RunPage['aspects']>[number];

/** In the paper's order. */
const names: readonly AspectName[] = ['tools', 'calls', 'turns', 'system', 'persona', 'query', 'criteria'];

/** `tasks` is not empty. */
export function drawnOf(step: string, tasks: readonly Aspects[]): Drawn {
  const drawn = (name: AspectName): DrawnAspect => {
    const values = tasks.map((task) => task[name].value);
    return {
      bound: Math.max(...tasks.map((task) => task[name].bound)),
      min: Math.min(...values),
      mean: values.reduce((sum, value) => sum + value, 0) / values.length,
      max: Math.max(...values),
    };
  };
  return { step, tasks: tasks.length, drawn: Object.fromEntries(names.map((name) => [name, drawn(name)])) as Drawn['drawn'] };
}
