/** A line of few figures, as large as a word. Gaps where there is no figure. */
import { linePath } from './line-path.ts';

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
      <path class="line" d={linePath(values, width, height, low, high)} />
    </svg>
  );
}
