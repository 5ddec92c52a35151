// Ten browsers as a server sees them, without a browser: each holds one live stream of a run and asks again for what its page shows, as seldom as the page itself does. Started by
// bench/viewer.mjs:  node viewer-pages.mjs <url> <run>     Ends with stdin, and prints what it did.
import { setPriority } from 'node:os';

const [url, run] = process.argv.slice(2);
// Browsers belong to whoever looks: what they cost is not measured here, so they take only what nobody else wants.
setPriority(19);
const at = `/api/runs/${run}`;
/** Milliseconds between two questions for the same thing: the page's own numbers. */
const every = { runs: 2000, run: (steps) => 2000 + 2 * steps, episodes: 2500, played: 1000 };

const done = { answers: 0, bytes: 0, refused: 0, events: 0, reconnections: 0, taken: [] };
const leaving = new AbortController();

async function ask(path) {
  const began = performance.now();
  try {
    const response = await fetch(url + path, { signal: AbortSignal.any([leaving.signal, AbortSignal.timeout(20_000)]) });
    const text = await response.text();
    done.answers++;
    done.bytes += text.length;
    done.taken.push(performance.now() - began);
    if (!response.ok) done.refused++;
    return response.ok ? text : null;
  } catch {
    if (!leaving.signal.aborted) done.refused++;
    return null;
  }
}

/** Calls at most once in so many milliseconds, the last call never lost, and never while an answer is waited for. */
function throttled(ms, call) {
  let waits = false;
  let last = -Infinity;
  return () => {
    if (waits) return;
    waits = true;
    const answered = async () => {
      last = performance.now();
      await call();
      waits = false;
    };
    setTimeout(() => void answered(), Math.max(0, last + ms() - performance.now())).unref();
  };
}

function take(event, hear) {
  done.events++;
  const kind = /^event: (.*)$/m.exec(event)?.[1];
  if (kind !== undefined) hear(kind, event);
}

async function listen(path, hear) {
  let id = null;
  while (!leaving.signal.aborted) {
    try {
      const response = await fetch(url + path, { headers: id === null ? {} : { 'last-event-id': id }, signal: leaving.signal });
      let rest = '';
      for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
        const events = (rest + piece).split('\n\n');
        rest = events.pop() ?? '';
        for (const event of events) {
          id = /^id: (.*)$/m.exec(event)?.[1] ?? id;
          take(event, hear);
        }
      }
    } catch {
      // Broken off: taken up again from the last id.
    }
    if (!leaving.signal.aborted) {
      done.reconnections++;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

/** The list of runs. */
function runsPage() {
  const again = throttled(
    () => every.runs,
    () => ask('/api/runs'),
  );
  again();
  void listen('/api/live', again);
}

/**
 * A run's page; with its table of episodes where `table` has a query.
 * @param {string | null} table
 */
function runPage(table = null) {
  let steps = 0;
  const everything = throttled(
    () => every.run(steps),
    async () => {
      const [page] = await Promise.all([ask(at), table === null ? null : ask(`${at}/episodes?${table}`)]);
      steps = page === null ? steps : page.split('"step":"s').length;
    },
  );
  const episodes = throttled(
    () => every.episodes,
    () => (table === null ? null : ask(`${at}/episodes?${table}`)),
  );
  everything();
  void listen(`/api/live?run=${run}`, (kind, text) => {
    if (kind === 'episode') episodes();
    else if (kind !== 'events' || text.includes('"run"')) everything();
  });
}

/**
 * A group, or one of its episodes (`e00`), while it is played; then the next one that is.
 * @param {string | null} member
 */
function playedPage(member = null) {
  /** @type {string | null} */
  let group = null;
  const look = throttled(
    () => every.played,
    async () => {
      if (group === null) return;
      const path = member === null ? `${at}/groups/${group}` : `${at}/episodes/${group}.${member}`;
      const [page] = await Promise.all([
        ask(path),
        ...(member === null ? [] : [ask(`${path}/outline`), ask(`${path}/events?from=0&count=100`)]),
      ]);
      // Sealed: this one stays as it is.
      if (page === null || !page.includes(member === null ? '"status":"running"' : '"outcome":null')) group = null;
    },
  );
  void listen(`/api/live?run=${run}`, (kind, text) => {
    if (kind !== 'events') return;
    group ??= /"group":"(s\d+\.t\d+)"/.exec(text)?.[1] ?? null;
    if (group !== null && text.includes(`"${group}"`)) look();
  });
}

runsPage();
runsPage();
runPage();
runPage();
runPage();
runPage('offset=0&limit=200');
runPage(`filter=${encodeURIComponent('reward<0')}&sort=-D&offset=0&limit=200`);
playedPage();
playedPage('e00');
playedPage('e01');

process.stdin.resume().on('end', () => {
  leaving.abort();
  const { user, system } = process.cpuUsage();
  process.stdout.write(`${JSON.stringify({ ...done, cpu: (user + system) / 1e6 })}\n`, () => process.exit(0));
});
