/** The lines of a chart as SVG paths. Arithmetic only. */

interface Point {
  readonly x: number;
  readonly y: number;
}

const lengthOf = (a: Point, b: Point): number => Math.hypot(b.x - a.x, b.y - a.y);
const towards = (from: Point, to: Point, by: number): Point => {
  const share = by / (lengthOf(from, to) || 1);
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
};
const at = ({ x, y }: Point): string => `${Number(x.toFixed(1))} ${Number(y.toFixed(1))}`;

/** Through all corners, each rounded as far as its neighbours allow. */
export function roundedPath(points: readonly Point[], radius = 6): string {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  const parts = [`M${at(first)}`];
  rest.forEach((corner, i) => {
    const before = points[i];
    const after = points[i + 2];
    if (before === undefined || after === undefined) {
      parts.push(`L${at(corner)}`);
      return;
    }
    const reach = Math.min(radius, lengthOf(before, corner) / 2, lengthOf(corner, after) / 2);
    parts.push(`L${at(towards(corner, before, reach))}Q${at(corner)} ${at(towards(corner, after, reach))}`);
  });
  return parts.join('');
}

/** The head of the arrow at the last corner. */
export function headPath(points: readonly Point[], size = 7): string {
  const [before, tip] = points.slice(-2);
  if (before === undefined || tip === undefined) return '';
  const foot = towards(tip, before, size);
  const side = { x: (tip.y - foot.y) * 0.5, y: (foot.x - tip.x) * 0.5 };
  return `M${at(tip)}L${at({ x: foot.x + side.x, y: foot.y + side.y })}L${at({ x: foot.x - side.x, y: foot.y - side.y })}Z`;
}
