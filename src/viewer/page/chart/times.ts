/** Where the figures of transitions stand on a chart: beside their words, on whichever side is free. Arithmetic over boxes; knows no figure. */
import type { Box, ChartGeometry, Way } from '../../chart/geometry.ts';

/** A letter and a line of type at the size the chart was laid out with (chart/words.ts). */
const letter = 6.33;
const line = 13;
const gap = 4;

export interface Place {
  readonly x: number;
  readonly y: number;
  readonly anchor: 'start' | 'end';
}

/** By edge, for figures of so many letters; those without words have none. */
export function placesOf({ nodes, edges }: ChartGeometry, lettersOf: (edge: string) => number): ReadonlyMap<string, Place> {
  const solid = nodes.filter(({ kind }) => kind !== 'compound' && kind !== 'parallel');
  const labels = edges.flatMap(({ label }) => (label === null ? [] : [label]));
  const taken: Box[] = [];
  const places = new Map<string, Place>();
  for (const { label, ways } of edges) {
    for (const way of ways) {
      const letters = lettersOf(way.edge);
      const last = way.lines.at(-1);
      if (label === null || last === undefined || letters === 0) continue;
      const others = [...labels.filter((other) => other !== label), ...solid, ...taken];
      const candidates = candidatesOf(label, way, letters * letter);
      const free = candidates.find(({ box }) => !others.some((other) => meets(box, other))) ?? candidates[0];
      if (free === undefined) continue;
      taken.push(free.box);
      places.set(way.edge, free.place);
    }
  }
  return places;
}

interface Candidate {
  readonly place: Place;
  readonly box: Box;
}

function candidatesOf(label: Box, { lines }: Way, width: number): Candidate[] {
  const last = lines.at(-1);
  const first = lines[0];
  if (last === undefined || first === undefined) return [];
  const at = (x: number, y: number, anchor: Place['anchor']): Candidate => ({
    place: { x, y, anchor },
    box: { x: anchor === 'start' ? x : x - width, y: y - line + 3, w: width, h: line },
  });
  return [
    at(last.x + last.text.length * letter + gap, last.y, 'start'),
    at(Math.min(...lines.map(({ x }) => x)) - gap, first.y, 'end'),
    at(label.x + label.w + gap, last.y, 'start'),
    at(label.x + gap, label.y + label.h + line - 3, 'start'),
    at(label.x + gap, label.y - 3, 'start'),
  ];
}

const meets = (a: Box, b: Box): boolean => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
