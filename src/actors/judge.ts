/** The judge's chart bound to its simulator: the task, the stripped transcript, and the world its patches lead to. */
import { judgeMachine } from '../machines/judge.ts';
import type { AskMessage } from '../protocol/messages.ts';
import type { Turn } from '../protocol/turn.ts';
import type { Verdict } from '../protocol/outcome.ts';
import type { World } from '../protocol/world.ts';
import type { JudgeView } from '../simulation/contract.ts';
import { applyPatch } from '../simulation/state.ts';
import type { Question } from './ask.ts';
import { panelOf } from './panel.ts';
import { observed } from './recorder.ts';
import { deliver, questionOf, stageOf } from './stage.ts';
import { poll } from './votes.ts';

export const judgeActor = observed(
  judgeMachine.provide({
    actions: {
      pose: ({ context, self, system }) => {
        const stage = stageOf(system);
        const { job, ports } = stage.group;
        const { judge } = ports.simulators;
        const view = { task: job.task, turns: context.turns, world: worldAfter(job.task.world, context.turns) };
        const answer = (message: AskMessage<Verdict>): void => deliver(stage, self, message);
        const alone = (question: Question<JudgeView, Verdict>): void => poll(question, job.simulation?.votes ?? 1, answer);
        const question = questionOf(stage, judge, view, context);
        // What is asked again was not read in company either.
        const panel = context.complaints.length === 0 ? panelOf(stage.group) : undefined;
        if (panel === undefined || judge.pose(view, [], question.seed).kind === 'reply') alone(question);
        else panel.sit({ stage, question, alone, deliver: answer });
      },
    },
  }),
);

/** The transcript says how the world came to be, so nobody has to be asked for it. */
function worldAfter(world: World, turns: readonly Turn[]): World {
  return turns.reduce((after, turn) => (turn.role === 'tool' ? applyPatch(after, turn.patch) : after), world);
}
