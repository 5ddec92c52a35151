/** A line of few figures, as large as a word. Gaps where there is no figure. */

/** The SVG path of values over equal steps; `null` breaks the line. A lone value is a short dash. */
export function sparkPath(values: readonly (number | null)[], width: number, height: number, low: number, high: number): string {
  const x = (i: number): number => (values.length < 2 ? 0 : (i / (values.length - 1)) * width);
  const y = (value: number): number => height - ((Math.min(high, Math.max(low, value)) - low) / (high - low || 1)) * height;
  let path = '';
  let drawing = false;
  values.forEach((value, i) => {
    if (value === null || Number.isNaN(value)) {
      drawing = false;
      return;
    }
    const alone = !drawing && (values[i + 1] ?? null) === null;
    path += `${drawing ? 'L' : 'M'}${x(i).toFixed(1)} ${y(value).toFixed(1)}${alone ? 'h2' : ''}`;
    drawing = true;
  });
  return path;
}

interface SparkProps {
  readonly values: readonly (number | null)[];
  readonly low: number;
  readonly high: number;
  /** Read aloud in place of the line. */
  readonly label: string;
}

export function Spark({ values, low, high, label }: SparkProps) {
  const [width, height] = [120, 22];
  const zero = height - ((0 - low) / (high - low)) * height;
  return (
    <svg class="spark" role="img" aria-label={label} width={width + 2} height={height + 2} viewBox={`-1 -1 ${width + 4} ${height + 2}`}>
      {low < 0 && high > 0 ? <line class="zero" x1="0" x2={width} y1={zero} y2={zero} /> : null}
      <path class="line" d={sparkPath(values, width, height, low, high)} />
    </svg>
  );
}
