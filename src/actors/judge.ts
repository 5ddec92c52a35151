/** The judge's chart bound to its simulator: the task, the stripped transcript, and the world its patches lead to. */
import { judgeMachine } from '../machines/judge.ts';
import type { Turn } from '../protocol/turn.ts';
import type { World } from '../protocol/world.ts';
import { applyPatch } from '../simulation/state.ts';
import { deliver, questionOf, stageOf } from './stage.ts';
import { observed } from './recorder.ts';
import { poll } from './votes.ts';

export const judgeActor = observed(
  judgeMachine.provide({
    actions: {
      pose: ({ context, self, system }) => {
        const stage = stageOf(system);
        const { job, ports } = stage.group;
        const view = { task: job.task, turns: context.turns, world: worldAfter(job.task.world, context.turns) };
        poll(questionOf(stage, ports.simulators.judge, view, context), job.simulation?.votes ?? 1, (message) => {
          deliver(stage, self, message);
        });
      },
    },
  }),
);

/** The transcript says how the world came to be, so nobody has to be asked for it. */
function worldAfter(world: World, turns: readonly Turn[]): World {
  return turns.reduce((after, turn) => (turn.role === 'tool' ? applyPatch(after, turn.patch) : after), world);
}
