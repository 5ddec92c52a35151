/** The events of an episode as marks under a slider: one row an actor, thinned to what a screen can show. Arithmetic only. */
import type { EventOutline } from '../../contract.ts';
import { type Lane, lanes, messagesOf } from './lane-messages.ts';

/** SVG paths of unit height, one row a lane. */
export interface Ticks {
  readonly lane: Lane;
  /** Marks of ordinary events, and of trouble. */
  readonly plain: string;
  readonly trouble: string;
  readonly count: number;
}

/** At most one mark a pixel and kind, whatever the number of events. */
export function ticksOf(outline: EventOutline, width: number): Ticks[] {
  const total = outline.actor.length;
  const read = messagesOf(outline);
  const columns = Math.max(1, Math.floor(width));
  const marks = lanes.map(() => ({ plain: new Uint8Array(columns), trouble: new Uint8Array(columns), count: 0 }));
  for (let i = 0; i < total; i++) {
    const message = read(outline.actor[i] as number, outline.type[i] as number);
    const row = message === null ? undefined : marks[lanes.indexOf(message.to)];
    if (row === undefined || message === null) continue;
    row.count++;
    row[message.isTrouble ? 'trouble' : 'plain'][Math.round(tickAt(i, total, columns - 1))] = 1;
  }
  return lanes.map((lane, i) => {
    const { plain, trouble, count } = marks[i] as (typeof marks)[number];
    return { lane, plain: pathOf(plain), trouble: pathOf(trouble), count };
  });
}

/** Where an event stands between 0 and `width`; where the slider's knob is for the same value. */
export const tickAt = (event: number, total: number, width: number): number => (total < 2 ? width / 2 : (event / (total - 1)) * width);

/** Neighbouring marks are one box. */
function pathOf(columns: Uint8Array): string {
  let path = '';
  for (let x = 0; x < columns.length; x++) {
    if (columns[x] === 0) continue;
    let end = x;
    while (end + 1 < columns.length && columns[end + 1] === 1) end++;
    path += `M${x} 0h${end - x + 1}v1H${x}z`;
    x = end;
  }
  return path;
}
