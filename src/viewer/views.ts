/** The addresses under /api that are read: runs, episodes, groups, prompts, events and charts as JSON. Knows what is asked for and where it comes from; makes none of it. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { type Context, Hono } from 'hono';
import { TroupeFault } from '../errors.ts';
import type { Episode } from '../protocol/episode.ts';
import type { JsonObject } from '../protocol/json.ts';
import { Calls } from './calls.ts';
import { comparePage, taskLimit } from './compare.ts';
import type { EpisodeRow, Refusal, RunCard } from './contract.ts';
import { episodePage } from './episode.ts';
import { groupPage, Groups, type Opened } from './group.ts';
import { Histories } from './history.ts';
import { Lists } from './lists.ts';
import { plain } from './plain.ts';
import type { ViewerPorts } from './ports.ts';
import type { RunIndex } from './run-index.ts';
import { runPage } from './run.ts';
import type { Runs } from './runs.ts';
import { promptOf, type Seen, stripOf, stripOutline } from './strips.ts';
import { stripWindowSize } from './windowing.ts';

interface Sources {
  readonly runs: Runs;
  /** A JSON file. */
  readonly charts: string;
  readonly ports: ViewerPorts;
}

/** What is not there, or is asked for wrongly. */
class Refused extends Error {
  readonly status: 400 | 404;
  /** What is told beside the words. */
  readonly more: Omit<Refusal, 'error'>;
  constructor(status: 400 | 404, message: string, more: Omit<Refusal, 'error'> = {}) {
    super(message);
    this.status = status;
    this.more = more;
  }
}

export function views({ runs, charts, ports }: Sources): Hono {
  const app = new Hono();
  const groups = new Groups(ports);
  const histories = new Histories();
  const calls = new Calls();
  const lists = new Lists(ports.clock);
  const runPages = new WeakMap<RunIndex, { readonly state: string; readonly text: string }>();
  runs.whenForgotten((index) => {
    histories.forget(index);
    calls.forget(index);
    lists.forget(index);
  });

  const opened = async (
    context: Context,
    group: string | null = null,
  ): Promise<{ run: string; index: RunIndex; config: JsonObject | null }> => {
    const run = context.req.param('run') ?? '';
    const index = await runs.index(run, group);
    if (index === null) throw new Refused(404, `there is no run ${run} in ${runs.dir}`);
    if (!existsSync(index.folder.dir)) throw new Refused(404, runs.card(run)?.trouble ?? `there is no run ${run} any more`);
    return { run, index, config: runs.configOf(index) };
  };
  const member = async (
    context: Context,
  ): Promise<{ run: string; id: string; name: string; index: RunIndex; config: JsonObject | null; group: Opened }> => {
    const id = context.req.param('id') ?? '';
    const name = id.replace(/\.e\d+$/, '');
    const { run, index, config } = await opened(context, name);
    const group = groups.open(index, config, name);
    if (group === null) throw new Refused(404, `there is no episode ${id} in ${run}${stillRead(index)}`, readOf(index));
    return { run, id, name, index, config, group };
  };

  const whole = async (
    context: Context,
  ): Promise<{ run: string; id: string; index: RunIndex; config: JsonObject | null; group: Opened }> => {
    const id = context.req.param('group') ?? '';
    const { run, index, config } = await opened(context, id);
    const group = groups.open(index, config, id);
    if (group === null) throw new Refused(404, `there is no group ${id} in ${run}${stillRead(index)}`, readOf(index));
    return { run, id, index, config, group };
  };

  const compared = async (context: Context, side: 'a' | 'b'): Promise<{ run: string; read: number; rows: readonly EpisodeRow[] }> => {
    const run = context.req.query(side) ?? '';
    const index = await runs.index(run);
    if (index === null) throw new Refused(404, `there is no run ${run} in ${runs.dir}`);
    return { run, read: index.read, rows: index.rows() };
  };

  app.get('/runs', (context) => context.json(runs.cards()));
  app.get('/runs/:run', async (context) => {
    const { run, index, config } = await opened(context);
    const card = runs.card(run);
    if (card === null) throw new Refused(404, `there is no run ${run} in ${runs.dir}`);
    const state = stateOf(card, index);
    const known = runPages.get(index);
    // Several who watch ask for the same state of it.
    if (known?.state === state) return context.body(known.text, 200, json);
    const text = JSON.stringify(runPage(card, index, { config, actors: await histories.standings(index) }, ports));
    if (stateOf(card, index) === state) runPages.set(index, { state, text });
    return context.body(text, 200, json);
  });
  app.get('/runs/:run/episodes', async (context) => {
    const { index } = await opened(context);
    const { filter = '', sort = '' } = context.req.query();
    const [offset, limit] = [count(context, 'offset', 0, Infinity), count(context, 'limit', 100, 1000)];
    const found = await lists.window(index, { filter, sort, offset, limit });
    if ('error' in found) throw new Refused(400, found.error, found.at === undefined ? {} : { at: found.at });
    return context.json(found);
  });
  app.get('/runs/:run/groups/:group', async (context) => {
    const { run, id, group } = await whole(context);
    return context.json(groupPage(run, id, group));
  });
  app.get('/runs/:run/episodes/:id', async (context) => {
    const { run, id, name, index, group } = await member(context);
    const about = { run, group: name, parent: index.parent, forks: runs.forksOf(run, id), events: await histories.count(index, name, id) };
    const page = episodePage(id, about, group);
    if (page === null) throw new Refused(404, `the group ${name} has no episode ${id}`);
    return context.json(page);
  });
  app.get('/runs/:run/episodes/:id/fork', async (context) => {
    const { run, id } = await member(context);
    if (ports.fork === undefined) throw new Refused(404, 'this viewer shows and does nothing: start it with the view command');
    try {
      return context.json(ports.fork.choices(run, id));
    } catch (error) {
      if (!(error instanceof TroupeFault)) throw error;
      throw new Refused(400, error.message);
    }
  });
  app.get('/runs/:run/episodes/:id/events', async (context) => {
    const { id, name, index } = await member(context);
    return context.json(
      plain(await histories.window(index, name, id, count(context, 'from', 0, Infinity), count(context, 'count', 200, 2000))) as object,
    );
  });
  app.get('/runs/:run/episodes/:id/outline', async (context) => {
    const { id, name, index } = await member(context);
    return context.json(await histories.outline(index, name, id));
  });
  app.get('/runs/:run/episodes/:id/strips', async (context) => {
    const { id, config, group } = await member(context);
    const traces = episodeIn(group, id)?.traces ?? [];
    const outlines = traces.map((trace, n) => stripOutline(trace, ports.tokenText(config), seenIn(group, id, n)));
    return context.json(await Promise.all(outlines));
  });
  app.get('/runs/:run/episodes/:id/strips/:n', async (context) => {
    const { id, config, group } = await member(context);
    const n = count(context, 'n', 0, Infinity, context.req.param('n'));
    const trace = episodeIn(group, id)?.traces[n];
    if (trace === undefined) throw new Refused(404, `the episode ${id} has no such trace of tokens`);
    const [from, tokens] = [count(context, 'from', 0, Infinity), count(context, 'count', stripWindowSize, 4 * stripWindowSize)];
    return context.json(stripOf(trace, ports.tokenText(config), { from, count: tokens, seen: seenIn(group, id, n) }));
  });
  app.get('/runs/:run/episodes/:id/prompts/:turn', async (context) => {
    const { id, config, group } = await member(context);
    const episode = episodeIn(group, id);
    const prompt =
      episode === undefined
        ? null
        : promptOf(episode, count(context, 'turn', -1, Infinity, context.req.param('turn')), ports.tokenText(config));
    if (prompt === null)
      throw new Refused(
        404,
        group.kind === 'sealed'
          ? 'this turn has no prompt: it is not the agent’s, or it left no tokens'
          : 'prompts are there when the group is sealed',
      );
    return context.json(prompt);
  });
  app.get('/runs/:run/episodes/:id/calls', async (context) => {
    const { id, name, index, config, group } = await member(context);
    return context.json(await calls.list(index, name, id, { config, isDrawn: isDrawn(group) }));
  });
  app.get('/runs/:run/episodes/:id/calls/:n', async (context) => {
    const { id, name, index } = await member(context);
    return context.json(found(await calls.page(index, name, id, count(context, 'n', 0, Infinity, context.req.param('n'))), id));
  });
  app.get('/runs/:run/groups/:group/calls', async (context) => {
    const { id, index, config, group } = await whole(context);
    return context.json(await calls.list(index, id, id, { config, isDrawn: isDrawn(group) }));
  });
  app.get('/runs/:run/groups/:group/calls/:n', async (context) => {
    const { id, index } = await whole(context);
    return context.json(found(await calls.page(index, id, id, count(context, 'n', 0, Infinity, context.req.param('n'))), id));
  });
  app.get('/compare', async (context) => {
    const [a, b] = [await compared(context, 'a'), await compared(context, 'b')];
    const shown = { offset: count(context, 'offset', 0, Infinity), limit: count(context, 'limit', 100, taskLimit) };
    return context.json(comparePage(a, b, shown, ports));
  });
  app.get('/charts', (context) => {
    if (!existsSync(charts)) throw new Refused(404, 'the charts were not laid out: npm run build');
    const { size, mtimeMs } = statSync(charts);
    const etag = `"${size}-${mtimeMs}"`;
    context.header('cache-control', 'no-cache');
    context.header('etag', etag);
    if (context.req.header('if-none-match') === etag) return context.body(null, 304);
    return context.body(readFileSync(charts, 'utf8'), 200, { 'content-type': 'application/json; charset=utf-8' });
  });
  app.onError((error, context) => {
    if (!(error instanceof Refused)) throw error;
    return context.json({ error: error.message, ...error.more } satisfies Refusal, error.status);
  });
  return app;
}

/** undefined where its group is still played, or has no such member. */
const episodeIn = (opened: Opened, id: string): Episode | undefined =>
  opened.kind === 'sealed' ? opened.group.episodes.find((one) => one.id === id) : undefined;

/** What the trainer made of the tokens of a trace. */
function seenIn(opened: Opened, id: string, trace: number): Seen | undefined {
  const trained = opened.kind === 'sealed' ? opened.signals : null;
  const found = trained?.traces.find((one) => one.episode === id && one.trace === trace);
  return trained === null || found === undefined ? undefined : { version: trained.version, signals: found.signals };
}

const isDrawn = (group: Opened): boolean => (group.kind === 'sealed' ? group.group.task : group.task).split === 'train';

function found<T>(page: T | null, id: string): T {
  if (page === null) throw new Refused(404, `${id} asked no such question`);
  return page;
}

const readOf = (index: RunIndex): Omit<Refusal, 'error'> => (index.isWhole ? {} : { read: index.read });

const stillRead = (index: RunIndex): string =>
  index.isWhole ? '' : ` so far: ${Math.floor(100 * index.read)} % of its journal was read, ask again`;

const json = { 'content-type': 'application/json' };

/** As long as it is the same, a run's page is. */
const stateOf = (card: RunCard, index: RunIndex): string =>
  JSON.stringify([card, index.position, index.isWhole, index.folder.dir, ...[index.folder.metrics, index.folder.timings].map(stampOf)]);

function stampOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat === undefined ? '' : `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
}

/** A whole number from the query, or refused. */
function count(context: Context, name: string, otherwise: number, most: number, text = context.req.query(name)): number {
  if (text === undefined || text === '') return otherwise;
  if (!/^\d{1,9}$/.test(text)) throw new Refused(400, `${name}: expected a whole number`);
  return Math.min(Number(text), most);
}
