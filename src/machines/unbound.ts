/** What a chart names and only `actors/` can do. Unbound it says so by name, instead of doing nothing. */
import { fromPromise } from 'xstate';
import type { AnyActorRef, PromiseActorLogic } from 'xstate';

/** An action that acts on the world outside the chart; `provide()` binds it. Replay never executes it. */
export function effect(name: string): () => void {
  return () => {
    throw new Error(`action "${name}" is not bound`);
  };
}

/** A port that answers once. */
export function unbound<Output, Input>(name: string): PromiseActorLogic<Output, Input> {
  return fromPromise<Output, Input>(() => Promise.reject(new Error(`actor "${name}" is not bound`)));
}

/**
 * The target of an answer: the actor that spawned this one. A function, and not xstate's `sendParent`, because that one throws where there is no parent,
 * as in replay and in a test of one machine alone.
 */
export const parent = ({ self }: { self: AnyActorRef }): AnyActorRef => self._parent as AnyActorRef;
