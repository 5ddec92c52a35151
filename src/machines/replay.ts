/**
 * An episode again, from its record: each actor's events through the same chart, with nothing bound, so that nothing acts. Every state must have the hash that was written down.
 * Pure, so that the viewer replays in the browser; it draws no conclusions.
 */
import { initialTransition, transition } from 'xstate';
import type { AnyMachineSnapshot, AnyStateMachine, EventObject } from 'xstate';
import type { RecordedEvent } from '../protocol/frame.ts';
import type { World } from '../protocol/world.ts';
import { agentMachine } from './agent.ts';
import { brokerMachine } from './broker.ts';
import { curriculumMachine } from './curriculum.ts';
import { episodeMachine } from './episode.ts';
import { experimentMachine } from './experiment.ts';
import { groupMachine } from './group.ts';
import { stateHash } from './hash.ts';
import { judgeMachine } from './judge.ts';
import { policyUpdateMachine } from './policy-update.ts';
import { taskMachine } from './task.ts';
import { toolMachine } from './tool.ts';
import { userMachine } from './user.ts';

/** The charts by the last part of an actor's path. */
export const charts: Readonly<Record<string, AnyStateMachine>> = {
  episode: episodeMachine,
  agent: agentMachine,
  user: userMachine,
  tool: toolMachine,
  judge: judgeMachine,
  group: groupMachine,
  task: taskMachine,
  experiment: experimentMachine,
  curriculum: curriculumMachine,
  broker: brokerMachine,
  policyUpdate: policyUpdateMachine,
};

export interface ReplayedEvent {
  readonly actor: string;
  readonly event: RecordedEvent['event'];
  /** After the event. */
  readonly snapshot: AnyMachineSnapshot;
  readonly hash: string;
  /** The hash is the recorded one. */
  readonly agrees: boolean;
}

export interface Replay {
  readonly events: readonly ReplayedEvent[];
  /** The first event whose state is not the recorded one; null for a true replay. */
  readonly divergence: { readonly index: number; readonly expected: string; readonly actual: string } | null;
}

const noWorld: World = { entities: {}, occurrences: {} };

/**
 * Replays the events in their order; an actor that starts anew (another attempt of its episode) starts from its first state again. Actors without a chart here are left out.
 * `world` gives back what records leave to the task's own frame. Throws RangeError for an actor that acts before it starts.
 */
export function replay(recorded: readonly RecordedEvent[], { world = noWorld }: { world?: World } = {}): Replay {
  const actors = new Map<string, AnyMachineSnapshot>();
  const events: ReplayedEvent[] = [];
  let divergence: Replay['divergence'] = null;
  for (const { actor, event, state } of recorded) {
    const chart = charts[actor.slice(actor.lastIndexOf('/') + 1)];
    if (chart === undefined) continue;
    const snapshot = step(chart, actors.get(actor), event, world, actor);
    actors.set(actor, snapshot);
    const hash = stateHash(snapshot.value);
    if (hash !== state) divergence ??= { index: events.length, expected: state, actual: hash };
    events.push({ actor, event, snapshot, hash, agrees: hash === state });
  }
  return { events, divergence };
}

function step(
  chart: AnyStateMachine,
  before: AnyMachineSnapshot | undefined,
  event: RecordedEvent['event'],
  world: World,
  actor: string,
): AnyMachineSnapshot {
  if (event.type === 'xstate.init')
    return initialTransition(chart, { ...(event['input'] as object | undefined), world })[0] as AnyMachineSnapshot;
  if (before === undefined) throw new RangeError(`${actor} acts before it starts`);
  return transition(chart, before, event as EventObject)[0] as AnyMachineSnapshot;
}
