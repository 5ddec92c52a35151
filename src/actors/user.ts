/** The user's chart bound to its simulator: persona, intent and what was said aloud go in, nothing else. */
import { userMachine } from '../machines/user.ts';
import { pose } from './ask.ts';
import { deliver, questionOf, stageOf } from './stage.ts';
import { observed } from './recorder.ts';

export const userActor = observed(
  userMachine.provide({
    actions: {
      pose: ({ context, self, system }) => {
        const stage = stageOf(system);
        const { job, ports } = stage.group;
        const view = { persona: job.task.persona, intent: job.task.intent, conversation: context.conversation };
        pose(questionOf(stage, ports.simulators.user, view, context), (message) => {
          deliver(stage, self, message);
        });
      },
    },
  }),
);
