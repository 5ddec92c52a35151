/**
 * Where each actor of a record went: for every event the state it led to, whether that is the state written down, and the edges of the chart it took.
 * It keeps no event, and knows neither journal nor page.
 */
import { createActor } from 'xstate';
import type {
  AnyActorScope,
  AnyMachineSnapshot,
  AnyStateMachine,
  AnyStateNode,
  AnyTransitionDefinition,
  EventObject,
  StateValue,
} from 'xstate';
import type { RecordedEvent } from '../protocol/frame.ts';
import { edgeIdsOf, initialEdgeId } from './definition.ts';
import { stateHash } from './hash.ts';
import { leanCharts } from './lean.ts';
import { pathSteps } from './path.ts';

/** What one event did. */
export interface Footprint {
  /** The name of the actor's chart; null for an actor without one. */
  readonly chart: string | null;
  /** After the event; null where nobody knows, since the actor's beginning is missing. */
  readonly value: StateValue | null;
  /** The value's hash is the recorded one. */
  readonly agrees: boolean;
  /** Ids of the definition's edges in the order taken; none for an event that was dropped. */
  readonly edges: readonly string[];
}

export interface Trail {
  follow(recorded: RecordedEvent): Footprint;
}

/** Follows any number of actors, each from its `xstate.init`; one that begins anew (another attempt of its episode) starts again. */
export function trail(): Trail {
  const actors = new Map<string, AnyMachineSnapshot>();
  return {
    follow: ({ actor, event, state }) => {
      const chart = actor.slice(actor.lastIndexOf('/') + 1);
      const ways = waysOf(chart);
      if (ways === undefined) return { chart: null, value: null, agrees: false, edges: [] };
      const before = event.type === 'xstate.init' ? undefined : actors.get(actor);
      if (before === undefined && event.type !== 'xstate.init') return { chart, value: null, agrees: false, edges: [] };
      try {
        const { snapshot, edges } = ways.step(before, event);
        actors.set(actor, snapshot);
        const value = snapshot.value as StateValue;
        return { chart, value, agrees: stateHash(value) === state, edges };
      } catch {
        // Not an event its chart was made for, so no actor of ours received it: it agrees with nothing, and the rest of the record can still be read.
        return { chart, value: (before?.value as StateValue | undefined) ?? null, agrees: false, edges: [] };
      }
    },
  };
}

interface Ways {
  /** `before` undefined: begins with the event's input. */
  step(
    before: AnyMachineSnapshot | undefined,
    event: RecordedEvent['event'],
  ): { readonly snapshot: AnyMachineSnapshot; readonly edges: readonly string[] };
}

const known = new Map<string, Ways>();

function waysOf(name: string): Ways | undefined {
  const chart = Object.hasOwn(leanCharts, name) ? leanCharts[name] : undefined;
  if (chart === undefined) return undefined;
  let ways = known.get(name);
  if (ways === undefined) known.set(name, (ways = walk(chart)));
  return ways;
}

/** The world of an actor's input stays in the task's own frame, and no guard reads it. */
const noWorld = { entities: {}, occurrences: {} };

function walk(chart: AnyStateMachine): Ways {
  const scope = inert(chart);
  const ids = edgeIdsOf(chart);
  const edgesOf = new Map([...ids].map(([transition, id]) => [transition, [id, ...descentInto(transition)]] as const));
  const quick = pathSteps(chart);
  const first = descent(chart.root);
  return {
    step: (before, event) => {
      if (before === undefined) {
        const input = { ...(event['input'] as object | undefined), world: noWorld };
        return { snapshot: chart.getInitialSnapshot(scope, input) as AnyMachineSnapshot, edges: first };
      }
      if (before.status !== 'active') return { snapshot: before, edges: [] };
      const edges: string[] = [];
      const took = (transition: AnyTransitionDefinition): void => void edges.push(...(edgesOf.get(transition) ?? []));
      const told = event as EventObject;
      if (quick !== undefined) return { snapshot: quick.transition(before, told, scope, took), edges };
      for (const selected of chart.getTransitionData(before as never, told)) took(selected as AnyTransitionDefinition);
      const microsteps = chart.microstep(before as never, told, scope) as AnyMachineSnapshot[];
      // Every microstep after the first was taken without an event, from where the one before had led.
      for (const at of microsteps.slice(0, -1)) eventless(at, told).forEach(took);
      return { snapshot: microsteps.at(-1) ?? before, edges };
    },
  };
}

const descentInto = ({ target }: AnyTransitionDefinition): string[] => ((target ?? []) as AnyStateNode[]).flatMap(descent);

/** The initial edges from a state that is entered as a whole down to its leaves. */
function descent(node: AnyStateNode): string[] {
  if (node.type === 'parallel') return Object.values(node.states).flatMap(descent);
  if (node.type !== 'compound') return [];
  const { target } = node.initial as { target: readonly AnyStateNode[] };
  return [initialEdgeId(node.id), ...target.flatMap(descent)];
}

/** What XState selects where no event is needed: of each state that is a leaf, the first of its own or its ancestors' whose guard holds. */
function eventless(snapshot: AnyMachineSnapshot, event: EventObject): AnyTransitionDefinition[] {
  const selected = new Set<AnyTransitionDefinition>();
  for (const leaf of snapshot._nodes) {
    if (leaf.type === 'compound' || leaf.type === 'parallel') continue;
    for (let node: AnyStateNode | undefined = leaf; node !== undefined; node = node.parent) {
      const open = (node.always ?? []).find(({ guard }) => holds(guard, snapshot, event));
      if (open === undefined) continue;
      selected.add(open as AnyTransitionDefinition);
      break;
    }
  }
  return [...selected];
}

type Guard = (args: { context: unknown; event: EventObject }) => boolean;

/** Our charts name their guards, and the guards are plain predicates. */
function holds(guard: unknown, { machine, context }: AnyMachineSnapshot, event: EventObject): boolean {
  if (guard === undefined) return true;
  const bound = (typeof guard === 'string' ? machine.implementations.guards[guard] : guard) as Guard;
  return bound({ context: context as unknown, event });
}

/** A scope in which nothing is done: one for all steps of a chart, since making one is what costs most. */
function inert(chart: AnyStateMachine): AnyActorScope {
  const self = createActor(chart, { input: noWorld });
  const nothing = (): void => undefined;
  const scope = { self, id: '', sessionId: '', system: self.system, logger: nothing, defer: nothing, stopChild: nothing, emit: nothing };
  return { ...scope, actionExecutor: nothing };
}
