// What every bench shares: how a figure is written down, and how time is taken. Knows no bench.
// A bench prints one JSON object on stdout, `{ ok, figures, tables?, notes? }`, and anything for people on stderr.

export const median = (values) => {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};

const rounded = (value, digits = 3) => (Number.isFinite(value) ? Number(value.toPrecision(digits)) : null);

/** `better`: 'more' or 'less'. `target`: the bound it should keep, in the same unit. */
export const figure = (name, value, unit, better, target) => ({
  name,
  value: Math.abs(value) >= 1000 ? Math.round(value) : rounded(value),
  unit,
  better,
  ...(target === undefined ? {} : { target }),
});

/** { wall, cpu } in seconds; `cpu` counts all threads of this process. */
export async function timed(work) {
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { wall: (performance.now() - began) / 1000, cpu: (user + system) / 1e6 };
}

/** Microseconds a call, median of `rounds` after a warm-up. Synchronous work only: nothing else may run between the calls. */
export function microseconds(call, times, rounds = 12) {
  const taken = Array.from({ length: rounds + 3 }, () => {
    const began = performance.now();
    for (let i = 0; i < times; i++) call();
    return ((performance.now() - began) * 1000) / times;
  });
  return median(taken.slice(3));
}

export const isQuick = process.argv.includes('--quick');

export function finish(result) {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
