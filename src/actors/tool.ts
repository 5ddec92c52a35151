/** The tools' chart bound to code and simulator: code checks the call, the simulator answers it, code checks the answer and applies its patch to the episode's world (rule L11). */
import { assign } from 'xstate';
import { toolMachine } from '../machines/tool.ts';
import type { AskMessage } from '../protocol/messages.ts';
import type { ChatReply, ChatRequest } from '../protocol/inference.ts';
import type { World } from '../protocol/world.ts';
import { seedOf } from '../random.ts';
import type { ToolAnswer, ToolSimulator, ToolView } from '../simulation/contract.ts';
import { applyPatch, complaintsAbout, occurrenceKey, stateHash } from '../simulation/state.ts';
import { complaintAboutResult, validateCall } from '../simulation/validate.ts';
import { pose } from './ask.ts';
import type { CallOf } from './keys.ts';
import { askingOf, chatOf, deliver, sampleOf, stageOf } from './stage.ts';
import type { GroupStage, Stage } from './stage.ts';
import { observed } from './recorder.ts';

export const toolActor = observed(
  toolMachine.provide({
    actions: {
      applyPatch: assign(({ context }) =>
        context.turn === null || context.turn.patch.length === 0 ? {} : { world: applyPatch(context.world, context.turn.patch) },
      ),
      pose: ({ context, self, system }) => {
        const stage = stageOf(system);
        const { job, ports } = stage.group;
        const answer = (message: AskMessage<ToolAnswer>): void => {
          deliver(stage, self, message);
        };
        const checked = validateCall(job.task.tools, context.call);
        if (!checked.ok) {
          const refusal: ToolAnswer = { status: checked.status, observation: null, patch: [] };
          answer({ type: 'ask.read', ask: context.ask, attempt: context.complaints.length, answer: refusal });
          return;
        }
        const state = `${occurrenceKey(context.call)} ${nameOf(context.world)}`;
        const call: CallOf = {
          scope: job.group,
          actor: `tool ${state}`,
          turn: 0,
          sample: sampleOf(stage, context.complaints.length),
          version: job.version,
        };
        pose(
          {
            simulator: reliable(ports.simulators.tool, stage.group, state),
            view: { tool: checked.tool, call: context.call, world: context.world },
            ...askingOf(stage, 'tool', context, checked.tool.name),
            call,
            // Of the call and the state, not of the episode: what one member is told, every member is told.
            seed: seedOf(job.seed, job.group, call.actor, call.sample),
            chat: sharedChat(stage),
          },
          answer,
        );
      },
    },
  }),
);

/** Members share the world they start from, and most calls leave the world as it is: each state is named once. */
const names = new WeakMap<World, string>();
function nameOf(world: World): string {
  let name = names.get(world);
  if (name === undefined) names.set(world, (name = stateHash(world)));
  return name;
}

/** The simulator with what code demands of every answer, and with the answers a language model has already given in this group. */
function reliable(simulator: ToolSimulator, { answers }: GroupStage, state: string): ToolSimulator {
  return {
    role: simulator.role,
    pose: (view, complaints, seed) => {
      const posed = simulator.pose(view, complaints, seed);
      const known = posed.kind === 'chat' ? answers.get(state) : undefined;
      return known === undefined ? posed : { kind: 'reply', reply: known };
    },
    read: (reply, view) => {
      const reading = simulator.read(reply, view);
      if (!reading.ok) return reading;
      const complaint = complaintAbout(reading.answer, view);
      if (complaint !== undefined) return { ok: false, complaint };
      if (typeof reply === 'string' && reading.answer.status !== 'transient' && !answers.has(state)) answers.set(state, reply);
      return reading;
    },
  };
}

function complaintAbout({ status, observation, patch }: ToolAnswer, { tool, world }: ToolView): string | undefined {
  return (status === 'ok' ? complaintAboutResult(tool, observation) : undefined) ?? complaintsAbout(world, patch)[0];
}

/** One call for all members that ask the same at the same time; it lives as long as the group, since no one episode may cancel what another waits for. */
function sharedChat({ group }: Stage): ((request: ChatRequest) => Promise<ChatReply>) | undefined {
  const chat = chatOf({ group, abort: group.abort });
  if (chat === undefined) return undefined;
  return (request) => {
    const known = group.asking.get(request.id);
    if (known !== undefined) return known;
    const asked = chat(request).finally(() => group.asking.delete(request.id));
    group.asking.set(request.id, asked);
    return asked;
  };
}
