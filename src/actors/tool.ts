/** The tools' chart bound to code and simulator: code checks the call, the simulator answers it, code checks the answer and applies its patch to the episode's world (rule L11). */
import { assign } from 'xstate';
import { toolMachine } from '../machines/tool.ts';
import type { AskMessage } from '../protocol/messages.ts';
import { seedOf } from '../random.ts';
import type { ToolAnswer, ToolView } from '../simulation/contract.ts';
import { applyPatch, occurrenceKey } from '../simulation/state.ts';
import { validateCall } from '../simulation/validate.ts';
import { pose } from './ask.ts';
import type { CallOf } from './keys.ts';
import { remembering, sharedChat } from './known.ts';
import { toldAgain } from './past.ts';
import { observed } from './recorder.ts';
import { askingOf, chatOf, deliver, sampleOf, stageOf } from './stage.ts';
import { isBusy, playsTools, shelfFor } from './tool-answers.ts';

export const toolActor = observed(
  toolMachine.provide({
    actions: {
      applyPatch: assign(({ context }) =>
        context.turn === null || context.turn.patch.length === 0 ? {} : { world: applyPatch(context.world, context.turn.patch) },
      ),
      pose: ({ context, self, system }) => {
        const stage = stageOf(system);
        const { job, ports } = stage.group;
        const { task, simulation } = job;
        const answer = (message: AskMessage<ToolAnswer>): void => {
          deliver(stage, self, message);
        };
        const decided = (status: ToolAnswer['status'], patch: ToolAnswer['patch'] = []): void => {
          const given = { status, observation: null, patch };
          const source = playsTools(job) ? { source: { from: 'rules' } as const } : {};
          answer({ type: 'ask.read', ask: context.ask, attempt: context.complaints.length, answer: given, ...source });
        };
        const past = toldAgain<ToolAnswer>(job, 'tool', context);
        const again = past === undefined ? undefined : { ...past, source: { from: 'past' } as const };
        const checked = validateCall(task.tools, context.call);
        if (!checked.ok) return again === undefined ? decided(checked.status) : answer(again);
        const view: ToolView = {
          tool: checked.tool,
          call: context.call,
          world: context.world,
          ...(simulation?.toolSeesIntent === true ? { peek: { intent: task.intent, expectedCalls: task.expectedCalls } } : {}),
        };
        if (again !== undefined) {
          // What a model said then is what is known now.
          if (playsTools(job) && again.type === 'ask.read') shelfFor(stage, view).keep(view, again.answer);
          return answer(again);
        }
        if (playsTools(job) && isBusy(job, view)) return decided('transient', [{ op: 'count', key: occurrenceKey(view.call) }]);
        const isShared = simulation?.shared ?? true;
        const shelf = shelfFor(stage, view);
        // Of the call and the state, not of the episode: what one member is told, every member is told.
        const call: CallOf = {
          scope: isShared ? job.group : stage.episode,
          actor: `tool ${shelf.state}`,
          turn: isShared ? 0 : context.ask,
          sample: sampleOf(stage, context.complaints.length),
          version: job.version,
        };
        pose(
          {
            simulator: remembering(ports.simulators.tool, shelf),
            view,
            ...askingOf(stage, 'tool', context, checked.tool.name),
            call,
            seed: seedOf(job.seed, call.scope, call.actor, ...(isShared ? [] : [call.turn]), call.sample),
            chat: isShared ? sharedChat(stage) : chatOf(stage),
          },
          answer,
        );
      },
    },
  }),
);
