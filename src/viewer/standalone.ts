/**
 * A page as one file that opens without a server: script, style, icon and every answer it will ask for. Knows which addresses a page asks; what is at them is views.ts's.
 * What models, tools and people said lies in the file as JSON in an element no browser runs, with every `<` escaped, so that nothing said can end that element.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Hono } from 'hono';
import { boundarySync, ConfigFault, RecordFault } from '../errors.ts';
import type { CallList, EpisodePage, GroupPage, Refusal } from './contract.ts';
import { heats } from './heats.ts';
import type { ViewerPorts } from './ports.ts';
import { Runs } from './runs.ts';
import { views } from './views.ts';
import { stripPath, stripWindowSize, windowPath, windowSize } from './windowing.ts';

export interface Enclosing {
  /** Where runs lie, and the run's name there. */
  readonly dir: string;
  readonly run: string;
  /** Of an episode, or of a group: then all its episodes. */
  readonly id: string;
  /** The built page, and the JSON of all charts. */
  readonly page: string;
  readonly charts: string;
}

export interface Held {
  readonly episodes: number;
  readonly events: number;
}

/** Yields the document piece by piece, so that a long episode is never one text; returns what it holds. Rejects with ConfigFault where there is nothing of this name, or it is still being played. */
export async function* standalone({ dir, run, id, page, charts }: Enclosing, ports: ViewerPorts): AsyncGenerator<string, Held> {
  const runs = new Runs(dir, ports);
  // Not before its journal is read to the end: an answer must not be about half of it.
  await runs.index(run);
  await runs.refresh(run);
  const server = new Hono().route('/api', views({ runs, charts, ports })).route('/api', heats({ runs, ports }));
  const isEpisode = /\.e\d+$/.test(id);
  const root = `/runs/${encodeURIComponent(run)}`;
  const start = `${root}/${isEpisode ? 'episodes' : 'groups'}/${encodeURIComponent(id)}`;
  const refusals: Record<string, string> = {};
  const ask = async (path: string): Promise<string | null> => {
    const response = await server.request(path);
    const text = await response.text();
    if (response.ok) return text;
    const { error } = JSON.parse(text) as Refusal;
    if (response.status !== 404) throw new RecordFault(`${path}: ${error}`);
    refusals[path] = error;
    return null;
  };
  const asked = async <T extends EpisodePage | GroupPage>(path: string, isPlayed: (page: T) => boolean): Promise<[string, T]> => {
    const text = await ask(path);
    if (text === null) throw new ConfigFault(refusals[path] ?? path);
    const value = JSON.parse(text) as T;
    if (isPlayed(value)) throw new ConfigFault(`${value.id} is still being played; when its group is sealed it can be put into a file`);
    return [text, value];
  };

  const [firstText, group] = isEpisode
    ? [null, null]
    : await asked<GroupPage>(`/api${start}`, ({ status, members }) => status === 'running' || members.some((one) => one.outcome === null));
  const members = group?.members.map((member) => member.id) ?? [id];
  const pages = members.map((member) => `/api${root}/episodes/${encodeURIComponent(member)}`);
  // The first answer tells whether there is anything to write.
  const isPlaying = ({ outcome }: EpisodePage): boolean => outcome === null;
  if (isEpisode) await asked<EpisodePage>(pages[0] ?? '', isPlaying);

  /** A list of calls, and each that a page asks for: the policy's are among the prompts. */
  async function* callsAt(path: string): AsyncGenerator<string, void> {
    const text = await ask(path);
    if (text === null) return;
    yield entry(path, text);
    const { actor, actors, end, ends } = JSON.parse(text) as CallList;
    for (const [n, at] of actor.entries()) {
      const isPrompt = actors[at] === 'agent' && ends[end[n] ?? -1] === 'accepted';
      const call = isPrompt ? null : await ask(`${path}/${n}`);
      if (call !== null) yield entry(`${path}/${n}`, call);
    }
  }

  yield* headOf({ page, title: `${id} · ${run} · Troupe` });
  yield `<script type="application/json">{"title":${inert(JSON.stringify(`${isEpisode ? 'episode' : 'group'} ${id}`))},"start":${inert(JSON.stringify(start))},"answers":{`;
  yield `"/api/charts":${inert((await ask('/api/charts')) ?? '[]')}`;
  if (firstText !== null) {
    yield entry(`/api${start}`, firstText);
    const heat = await ask(`/api${start}/heat`);
    if (heat !== null) yield entry(`/api${start}/heat`, heat);
  }
  let events = 0;
  for (const path of pages) {
    const [text, episode] = await asked<EpisodePage>(path, isPlaying);
    events += episode.events;
    yield entry(path, text);
    const agents = episode.turns.flatMap(({ role }, turn) => (role === 'agent' ? [turn] : []));
    const windows = Array.from({ length: Math.ceil(episode.events / windowSize) }, (_, window) => windowPath(path, window));
    const strips = episode.strips.flatMap(({ tokens }, strip) =>
      Array.from({ length: Math.ceil(tokens / stripWindowSize) }, (_, window) => stripPath(path, strip, window)),
    );
    const prompts = agents.map((turn) => `${path}/prompts/${turn}`);
    for (const further of [`${path}/outline`, `${path}/strips`, ...strips, ...prompts, ...windows]) {
      const answer = await ask(further);
      if (answer !== null) yield entry(further, answer);
    }
    yield* callsAt(`${path}/calls`);
  }
  const groupPath = `/api${root}/groups/${encodeURIComponent(id.replace(/\.e\d+$/, ''))}`;
  yield* callsAt(`${groupPath}/calls`);
  yield `},"refusals":${inert(JSON.stringify(refusals))}}</script></body></html>\n`;
  runs.close();
  return { episodes: pages.length, events };
}

/** JSON that cannot end the element it stands in. */
const inert = (json: string): string => json.replaceAll('<', String.raw`\u003c`);

const entry = (path: string, json: string): string => `,\n${inert(JSON.stringify(path))}:${inert(json)}`;

function headOf({ page, title }: { readonly page: string; readonly title: string }): string[] {
  const read = (name: string): string =>
    boundarySync(ConfigFault, 'the page of the viewer was not built (npm run build)', () =>
      readFileSync(join(page, 'assets', name), 'utf8'),
    );
  const [script, style] = [read('page.js'), read('page.css')];
  if (/<!--|<\/?script/i.test(script) || /<\/?style/i.test(style))
    throw new ConfigFault('the built page holds text that would end its own element: it cannot be put into one file');
  // Its own script and style alone, by their hashes; nothing is ever loaded.
  const policy = `default-src 'none'; script-src ${hashOf(script)}; style-src ${hashOf(style)}; img-src data:; base-uri 'none'; form-action 'none'`;
  const icon = `data:image/svg+xml;base64,${Buffer.from(read('icon.svg')).toString('base64')}`;
  return [
    `<!doctype html>
<html lang="en"><head><meta charset="utf-8" />
<meta http-equiv="Content-Security-Policy" content="${policy}" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta name="color-scheme" content="light dark" />
<meta name="referrer" content="no-referrer" />
<title>${inText(title)}</title>
<link rel="icon" href="${icon}" type="image/svg+xml" />
<style>`,
    style,
    '</style>\n<script type="module">',
    script,
    '</script></head>\n<body><noscript>This file is a program: allow its scripts. They are Troupe’s own; nothing is loaded from elsewhere.</noscript>\n',
  ];
}

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

const inText = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
