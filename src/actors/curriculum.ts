/** The curriculum's chart bound and watched: difficulties of a step's tasks out, the step's rewards in. Knows no task. */
import { createActor } from 'xstate';
import type { CurriculumRule, CurriculumState, Drawn } from '../learning/curriculum.ts';
import { curriculumMachine } from '../machines/curriculum.ts';
import { observed, type Recorder, type Waits } from './recorder.ts';

export interface Curriculum {
  /** One per task, in task order. */
  draw(tasks: number): readonly Drawn[];
  /** `rewards`: one per scored member of the step. */
  reward(rewards: readonly number[]): void;
  /** For the checkpoint. */
  readonly state: CurriculumState;
}

const curriculumActor = observed(curriculumMachine.provide({ actions: { deliver: () => undefined } }));

/** `state`: where an earlier process left it, or its start. */
export function createCurriculum(
  input: { readonly rule: CurriculumRule; readonly seed: number; readonly state: CurriculumState },
  ports: { readonly recorder: Recorder; readonly waits: Waits; fail(error: unknown): void },
): Curriculum {
  const actor = createActor(curriculumActor, { input });
  ports.recorder.watch(actor, 'run', ports.waits);
  actor.subscribe({ error: (error) => ports.fail(error) });
  actor.start();
  return {
    draw: (tasks) => {
      actor.send({ type: 'curriculum.draw', tasks });
      return actor.getSnapshot().context.drawn;
    },
    reward: (rewards) => actor.send({ type: 'curriculum.rewarded', rewards }),
    get state() {
      return actor.getSnapshot().context.state;
    },
  };
}
