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
  // Few events have marks that can be seen from afar.
  const thick = Math.max(1, Math.min(6, Math.floor((columns / Math.max(1, total)) * 0.6)));
  const marks = lanes.map((lane) => ({ lane, plain: new Uint8Array(columns), trouble: new Uint8Array(columns), count: 0 }));
  for (let i = 0; i < total; i++) {
    const message = read(outline.actor[i] ?? -1, outline.type[i] ?? -1);
    const row = marks.find(({ lane }) => lane === message?.to);
    if (row === undefined || message === null) continue;
    row.count++;
    const x = Math.round(tickAt(i, total, columns - thick));
    row[message.isTrouble ? 'trouble' : 'plain'].fill(1, x, x + thick);
  }
  return marks.map(({ lane, plain, trouble, count }) => ({ lane, plain: pathOf(plain), trouble: pathOf(trouble), count }));
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
