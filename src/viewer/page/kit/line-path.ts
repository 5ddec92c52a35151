/** Values as the path of a line. Knows no element. */

/** The SVG path of values over equal steps; `null` breaks the line. A lone value is a short dash. */
export function linePath(values: readonly (number | null)[], width: number, height: number, low: number, high: number): string {
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
