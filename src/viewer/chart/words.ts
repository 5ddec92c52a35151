/** What is written on a chart, short enough to be drawn, and how much room it takes. Knows names, no places. */
import type { EdgeDefinition, StateDefinition } from '../../machines/definition.ts';
import type { Note } from './geometry.ts';

/** Sizes in pixels of the monospaced words of a chart: the page must draw them so. */
export const type = { title: 12, small: 10.5, line: 14 } as const;

/** Of an em, of one character: the widest of the monospaced fonts that systems have (DejaVu, Menlo, Liberation: 0.602), and a little. */
const advance = 0.607;

/** Names of states, events and guards are code: every character is one unit wide. */
export const widthOf = (text: string, size: number): number => text.length * advance * size;

/** An event without what everybody knows: `episode.said` in the chart `episode` is `said`. */
function eventText(event: string, chart: string): string {
  if (event.startsWith('xstate.done.')) return 'done';
  if (event === 'xstate.error.actor.*') return 'a child failed';
  if (event.startsWith('xstate.error.')) return 'failed';
  if (event === 'deadline.expired') return 'deadline';
  if (event.endsWith('*')) return event;
  for (const prefix of [`${chart}.`, 'ask.']) if (event.startsWith(prefix)) return event.slice(prefix.length);
  return event;
}

/** On the line of a transition: what happens, and under it on what condition. */
export function wayLines({ event, guard, isElse, isInitial }: EdgeDefinition, chart: string): string[] {
  if (isInitial) return [];
  const condition = guard === null ? (isElse ? '[else]' : '') : `[${guard}]`;
  const lines = [event === null ? '' : eventText(event, chart), condition].filter((line) => line !== '');
  // Side by side where that is no longer than the longer one is already.
  const joined = lines.join(' ');
  return lines.length === 0 ? ['at once'] : joined.length <= 16 ? [joined] : lines;
}

/** The whole of a transition, in the words of its chart. */
export function wayAbout({ event, guard, isElse, isInitial, actions, targets, reenters }: EdgeDefinition): string {
  if (isInitial) return `begins in ${targets.join(', ')}`;
  const to = targets.length === 0 ? 'stays' : `goes to ${targets.join(', ')}${reenters ? ' anew' : ''}`;
  return [
    event === null ? 'always' : `on ${event}`,
    ...(guard === null ? (isElse ? ['else'] : []) : [`if ${guard}`]),
    to,
    ...(actions.length === 0 ? [] : [`and does ${actions.join(', ')}`]),
  ].join(' ');
}

type Line = Omit<Note, 'x' | 'y'>;

/** The lines in the box of a state; `staying` are its transitions without a target. */
export function linesOf(state: StateDefinition, staying: readonly EdgeDefinition[], chart: string): Line[] {
  const lines = (kind: Note['kind'], names: readonly string[], word: string): Line[] =>
    names.map((name) => ({ kind, text: `${word} ${name}` }));
  return [
    ...lines('deadline', state.deadline === null ? [] : [state.deadline], 'deadline'),
    ...lines('invoke', state.invokes, 'do'),
    ...lines('spawn', state.spawns, 'begin'),
    ...lines('entry', state.entry, '▸'),
    ...lines('exit', state.exit, '◂'),
    ...staying.map((edge): Line => {
      const actions = edge.actions.length === 0 ? ' ignored' : ` / ${edge.actions.join(', ')}`;
      return { kind: 'stay', text: wayLines(edge, chart).join(' ') + actions, edge: edge.id };
    }),
  ];
}

/** The state in a sentence. */
export function stateAbout(state: StateDefinition): string {
  const parts = [
    state.kind === 'atomic' ? '' : state.kind,
    state.deadline === null ? '' : `deadline ${state.deadline}`,
    state.invokes.length === 0 ? '' : `does ${state.invokes.join(', ')}`,
    state.spawns.length === 0 ? '' : `begins ${state.spawns.join(', ')}`,
    state.entry.length === 0 ? '' : `on entry ${state.entry.join(', ')}`,
    state.exit.length === 0 ? '' : `on exit ${state.exit.join(', ')}`,
    state.tags.length === 0 ? '' : `tagged ${state.tags.join(', ')}`,
  ].filter((part) => part !== '');
  return parts.length === 0 ? state.key : `${state.key}: ${parts.join('; ')}`;
}
