/** The axis of a plot: how far it reaches, and what its ticks are called. Arithmetic only. */

/** A span is never less than this part of the figures: below it the ticks of an axis are no longer told apart in floating point. */
const least = 1e-9;

/** Around the figures with some room; a line that never moves gets room on both sides, zero its own floor. */
export function reachOf(low: number, high: number): readonly [from: number, until: number] {
  if (low === high) return low === 0 ? [0, 1] : [Math.min(0, low * 2), Math.max(0, high * 2)];
  const room = Math.max((high - low) * 0.1, Math.max(Math.abs(low), Math.abs(high)) * least);
  // What does not fall below 0, or rise above it, does not seem to.
  return [low >= 0 && low - room < 0 ? 0 : low - room, high <= 0 && high + room > 0 ? 0 : high + room];
}

/** Whether the figures are one and the same, twice at least. */
export function isStill(columns: readonly (readonly (number | null)[])[]): boolean {
  const known = columns.map((column) => column.filter((value) => value !== null));
  return known.every((values) => values.every((value) => value === values[0])) && known.some((values) => values.length > 1);
}

/** Names of an axis’ ticks, each told from the others: all with the fewest places that say each exactly; what differs only far behind the point as the first and what is added to it. */
export function tickNames(ticks: readonly number[]): string[] {
  const size = Math.max(0, ...ticks.map(Math.abs));
  const step = Math.min(...ticks.slice(1).map((tick, i) => Math.abs(tick - (ticks[i] ?? 0))));
  const exact = (places: number): boolean => ticks.every((tick) => Math.abs(tick - Number(tick.toFixed(places))) <= step * 1e-3);
  const places = [0, 1, 2, 3, 4].find((count) =>
    ticks.length < 2 ? Math.abs(size - Number(size.toFixed(count))) <= size * 1e-9 : exact(count),
  );
  if (places !== undefined && size < 1e7)
    return ticks.map((tick) => tick.toLocaleString('en-US', { minimumFractionDigits: places, maximumFractionDigits: places }));
  const powers = [1, 2].map((digits) => ticks.map((tick) => (tick === 0 ? '0' : tick.toExponential(digits).replace('e+', 'e'))));
  const told = powers.find((names) => new Set(names).size === ticks.length);
  return told ?? added(ticks, step);
}

/** `6.1235`, `+5e-5`, `+1e-4`. */
function added(ticks: readonly number[], step: number): string[] {
  const base = ticks[0] ?? 0;
  const near = String(Number(base.toPrecision(5)));
  return ticks.map((tick, i) =>
    i === 0
      ? near
      : `+${Number((Math.round((tick - base) / step) * step).toPrecision(2))
          .toExponential()
          .replace('e+', 'e')}`,
  );
}
