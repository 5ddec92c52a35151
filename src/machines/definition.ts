/**
 * A chart as plain data: states, and every way between them under an id that stays the same as long as the chart does. For drawing and for naming the edge an event took.
 * XState's own `definition` leaves out `always`; nothing here runs, measures or draws.
 */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition, StateValue } from 'xstate';
import { stateHash } from './hash.ts';
import { nameOf } from './text.ts';

export interface StateDefinition {
  /** XState's: the keys from the chart down, joined by dots. */
  readonly id: string;
  readonly key: string;
  readonly kind: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  /** Ports at work for as long as the state lasts. */
  readonly invokes: readonly string[];
  /** Actors begun on entry; they outlive the state. */
  readonly spawns: readonly string[];
  readonly tags: readonly string[];
  /** The wait that `meta` names; null where the state may wait for ever, or never waits. */
  readonly deadline: string | null;
  readonly states: readonly StateDefinition[];
}

export interface EdgeDefinition {
  /** `episode.routing/always/2`: source, event, and its place among the source's transitions for that event. */
  readonly id: string;
  readonly source: string;
  /** Ids of states; none where the states stay as they are. */
  readonly targets: readonly string[];
  /** Descriptor as the chart has it; null = taken without an event. */
  readonly event: string | null;
  readonly guard: string | null;
  /** Others for the same event stand before it, so that it is what remains. */
  readonly isElse: boolean;
  readonly actions: readonly string[];
  /** Leaves and enters its source, too. */
  readonly reenters: boolean;
  /** The first state of a compound one; nobody decides it. */
  readonly isInitial: boolean;
}

export interface ChartDefinition {
  readonly name: string;
  /** Over all the rest: equal for equal charts. */
  readonly hash: string;
  readonly root: StateDefinition;
  readonly edges: readonly EdgeDefinition[];
}

export function definitionOf({ id: name, root }: AnyStateMachine): ChartDefinition {
  const definition = { name, root: stateOf(root), edges: nodesOf(root).flatMap(edgesFrom) };
  return { ...definition, hash: stateHash(definition as unknown as StateValue) };
}

/** Ids of a chart's transitions, for looking up one that XState has selected. */
export function edgeIdsOf({ root }: AnyStateMachine): ReadonlyMap<AnyTransitionDefinition, string> {
  return new Map(nodesOf(root).flatMap((node) => transitionsOf(node).map(({ transition, id }) => [transition, id] as const)));
}

export const initialEdgeId = (state: string): string => `${state}/initial`;

const nodesOf = (node: AnyStateNode): AnyStateNode[] => [node, ...Object.values(node.states).flatMap(nodesOf)];

function stateOf(node: AnyStateNode): StateDefinition {
  const { deadline } = (node.meta ?? {}) as { deadline?: string };
  const isSpawn = (action: unknown): boolean => nameOf(action).startsWith('spawnChild ');
  return {
    id: node.id,
    key: node.key,
    kind: node.type,
    entry: node.entry.filter((action) => !isSpawn(action)).map(nameOf),
    exit: node.exit.map(nameOf),
    invokes: node.invoke.map(({ src }) => nameOf(src)),
    spawns: node.entry.filter(isSpawn).map((action) => nameOf(action).slice('spawnChild '.length)),
    tags: node.tags,
    deadline: deadline ?? null,
    states: Object.values(node.states).map(stateOf),
  };
}

interface Listed {
  readonly id: string;
  readonly transition: AnyTransitionDefinition;
  readonly isElse: boolean;
}

/** In the order in which XState tries them. */
function transitionsOf(node: AnyStateNode): Listed[] {
  const list = (event: string, transitions: readonly AnyTransitionDefinition[]): Listed[] =>
    transitions.map((transition, place) => ({
      id: `${node.id}/${event}/${place}`,
      transition,
      isElse: place > 0 && transition.guard === undefined,
    }));
  return [
    ...[...node.transitions].flatMap(([event, transitions]) => list(event, transitions)),
    ...list('always', (node.always ?? []) as AnyTransitionDefinition[]),
  ];
}

function edgesFrom(node: AnyStateNode): EdgeDefinition[] {
  const taken = transitionsOf(node).map(({ id, transition, isElse }): EdgeDefinition => {
    const { target, eventType, guard, actions, reenter } = transition;
    return {
      id,
      source: node.id,
      targets: (target ?? []).map((state: AnyStateNode) => state.id),
      event: eventType === '' ? null : eventType,
      guard: guard === undefined ? null : nameOf(guard),
      isElse,
      actions: actions.map(nameOf),
      reenters: reenter,
      isInitial: false,
    };
  });
  if (node.type !== 'compound') return taken;
  const { target } = node.initial as { target: readonly AnyStateNode[] };
  return [{ ...nothing, id: initialEdgeId(node.id), source: node.id, targets: target.map(({ id }) => id), isInitial: true }, ...taken];
}

const nothing = { event: null, guard: null, isElse: false, actions: [], reenters: false } as const;
