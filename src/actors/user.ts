/** The user's chart bound to its simulator: persona, intent and what was said aloud go in, nothing else. Members of one group that have had the same conversation hear the same. */
import { userMachine } from '../machines/user.ts';
import { seedOf } from '../random.ts';
import type { UserAnswer, UserView } from '../simulation/contract.ts';
import { pose, type Question } from './ask.ts';
import type { CallOf } from './keys.ts';
import { remembering, sharedChat } from './known.ts';
import { toldAgain } from './past.ts';
import type { GroupJob } from './ports.ts';
import { observed } from './recorder.ts';
import { deliver, questionOf, sampleOf, stageOf, type Stage } from './stage.ts';

export const userActor = observed(
  userMachine.provide({
    actions: {
      pose: ({ context, self, system }) => {
        const stage = stageOf(system);
        const { job, ports } = stage.group;
        const again = toldAgain<UserAnswer>(job, 'user', context);
        if (again !== undefined) return deliver(stage, self, { ...again, source: { from: 'past' } });
        const view = { persona: job.task.persona, intent: job.task.intent, conversation: context.conversation };
        const own = questionOf(stage, ports.simulators.user, view, context);
        pose(isShared(job) ? inTheGroupsName(stage, own) : own, (message) => {
          deliver(stage, self, message);
        });
      },
    },
  }),
);

const isShared = ({ simulation }: GroupJob): boolean =>
  simulation !== undefined && simulation.shared && (simulation.roles?.includes('user') ?? true);

/** Of the conversation, not of the episode. */
function inTheGroupsName(stage: Stage, own: Question<UserView, UserAnswer>): Question<UserView, UserAnswer> {
  const { job, replies } = stage.group;
  const said = seedOf(...own.view.conversation.flatMap(({ role, text }) => [role, text])).toString(36);
  const call: CallOf = { ...own.call, scope: job.group, actor: `user ${said}`, turn: 0, sample: sampleOf(stage, own.complaints.length) };
  return {
    ...own,
    simulator: remembering(own.simulator, { find: () => replies.get(said), keep: (_, answer) => void replies.set(said, answer) }),
    call,
    seed: seedOf(job.seed, call.scope, call.actor, call.sample),
    chat: sharedChat(stage),
  };
}
