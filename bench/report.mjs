// Results as Markdown: one section a bench, figures beside their targets and beside the run before. Pure; knows no bench by name.

/** Relative changes within this are noise on a shared machine. */
const noise = 0.1;

const shown = (value) => (value === null ? '–' : Math.abs(value) >= 1000 ? value.toLocaleString('en-US') : String(value));

const met = ({ value, target, better }) => value !== null && (better === 'more' ? value >= target : value <= target);
const targetText = (row) =>
  row.target === undefined ? '' : `${row.better === 'more' ? '≥' : '≤'} ${shown(row.target)} ${met(row) ? '✓' : '✗'}`;

/** Positive = better. */
function gain(row, before) {
  if (before === undefined || before.value === null || row.value === null || before.value === 0) return null;
  const change = row.value / before.value - 1;
  return row.better === 'more' ? change : -change;
}
const signed = (share) => `${share >= 0 ? '+' : '−'}${Math.abs(100 * share).toFixed(0)} %`;

const line = (cells) => `| ${cells.join(' | ')} |`;
const table = (head, rows) => [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');

function figuresTable({ figures, before }) {
  const earlier = new Map((before?.figures ?? []).map((row) => [row.name, row]));
  const rows = figures.map((row) => {
    const old = earlier.get(row.name);
    const share = gain(row, old);
    return [
      row.name,
      shown(row.value),
      row.unit,
      targetText(row),
      old === undefined ? '' : shown(old.value),
      share === null ? '' : signed(share),
    ];
  });
  return table(['figure', 'value', 'unit', 'target', 'run before', 'better by'], rows);
}

/** What got worse by more than noise, and what misses its target. */
export function regressions({ figures, before }) {
  const earlier = new Map((before?.figures ?? []).map((row) => [row.name, row]));
  return figures.flatMap((row) => {
    const share = gain(row, earlier.get(row.name));
    const worse =
      share !== null && share < -noise
        ? [`${row.name}: ${shown(earlier.get(row.name).value)} → ${shown(row.value)} ${row.unit} (${signed(share)})`]
        : [];
    return worse;
  });
}
export const misses = ({ figures }) =>
  figures
    .filter((row) => row.target !== undefined && !met(row))
    .map((row) => `${row.name}: ${shown(row.value)} ${row.unit}, target ${targetText(row).slice(0, -2)}`);

const list = (title, items) => (items.length === 0 ? [] : [`${title}\n${items.map((item) => `- ${item}`).join('\n')}`]);

function whereText({ machine, load, seconds, quick, command }) {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  return (
    `\`${command}\`, ${machine.date} UTC, ${seconds.toFixed(0)} s${quick ? ', quick' : ''}; ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}; ` +
    `load per core ${load.before} before, ${load.after} after; Node ${machine.node}; ${versions.join(', ')}; commit ${machine.commit}`
  );
}

function section(name, entry) {
  return [
    `## ${entry.title ?? name}`,
    whereText(entry),
    figuresTable(entry),
    ...(entry.tables ?? []).map(({ title, head, rows }) => `${title}\n\n${table(head, rows)}`),
    ...(entry.notes ?? []),
    ...list('Misses its target:', misses(entry)),
    ...list(`Got worse than the run before (${entry.before?.date ?? ''}):`, regressions(entry)),
  ].join('\n\n');
}

/** `results`: bench → { machine, load, seconds, quick, command, title, figures, tables?, notes?, before? }. */
export function markdown(results) {
  const intro =
    '# Bench results\n\nWritten by `npm run bench`, whole sections at a time, from what the benches measured; do not edit. ' +
    'Wall-clock figures are only as quiet as the machine was: read them with the load beside them. Figures per processor second bear a busy machine better.';
  return `${[intro, ...Object.entries(results).map(([name, entry]) => section(name, entry))].join('\n\n')}\n`;
}
