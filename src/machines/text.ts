/** A chart as text: states nested by indentation, with entry and exit actions, transitions, guards and meta. For people, for golden tests and for the viewer's summary; it draws nothing. */
import type { AnyStateMachine, AnyStateNode } from 'xstate';

export function textOf(machine: AnyStateMachine): string {
  return `${[`chart ${machine.id}`, ...bodyOf(machine.root, 1)].join('\n')}\n`;
}

function bodyOf(node: AnyStateNode, depth: number): string[] {
  const pad = '  '.repeat(depth);
  const lines: string[] = [];
  if (node.entry.length > 0) lines.push(`${pad}entry: ${names(node.entry)}`);
  if (node.exit.length > 0) lines.push(`${pad}exit: ${names(node.exit)}`);
  for (const invoked of node.invoke) lines.push(`${pad}invoke: ${nameOf(invoked.src)}`);
  for (const transition of [...node.transitions.values()].flat())
    lines.push(pad + transitionText(`on ${transition.eventType}`, transition));
  for (const transition of node.always ?? []) lines.push(pad + transitionText('always', transition));
  for (const child of Object.values(node.states)) lines.push(pad + heading(child), ...bodyOf(child, depth + 1));
  return lines;
}

function heading(node: AnyStateNode): string {
  const first = node.parent?.config.initial === node.key ? '* ' : '';
  const kind = node.type === 'final' ? ' (final)' : node.type === 'parallel' ? ' (parallel)' : '';
  const meta = Object.entries((node.meta ?? {}) as Record<string, unknown>).map(
    ([key, value]) => ` [${key}${value === true ? '' : `: ${String(value)}`}]`,
  );
  return `${first}${node.key}${kind}${meta.join('')}`;
}

interface Transition {
  readonly target: readonly AnyStateNode[] | undefined;
  readonly guard?: unknown;
  readonly actions: readonly unknown[];
  readonly reenter: boolean;
}

function transitionText(label: string, transition: Transition): string {
  const guard = transition.guard === undefined ? '' : ` if ${nameOf(transition.guard)}`;
  const actions = transition.actions.length === 0 ? '' : ` / ${names(transition.actions)}`;
  const target = transition.target?.map((node) => node.path.join('.')).join(', ');
  return `${label}${guard}${actions}${target === undefined ? '' : ` -> ${target}`}${transition.reenter ? ' (reenter)' : ''}`;
}

const names = (list: readonly unknown[]): string => list.map(nameOf).join(', ');

/** A named action or guard is its name; an inline built-in such as `spawnChild` is its type and what it spawns. */
export function nameOf(thing: unknown): string {
  if (typeof thing === 'string') return thing;
  const described = thing as { type?: unknown; src?: unknown };
  const src = typeof described.src === 'string' ? ` ${described.src}` : '';
  if (typeof described.type === 'string') return `${described.type.replace(/^xstate\./, '')}${src}`;
  return `inline${src}`;
}
