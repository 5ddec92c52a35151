/** Addresses of the page: paths in, routes out, and back. Knows neither browser nor components. */

/** What an address shows. The rest of its state (turn, event, tab, filter, …) is in its query. */
export type Route =
  | { readonly page: 'runs' }
  | { readonly page: 'run'; readonly run: string }
  | { readonly page: 'group'; readonly run: string; readonly group: string }
  | { readonly page: 'episode'; readonly run: string; readonly episode: string }
  | { readonly page: 'compare' }
  | { readonly page: 'charts'; readonly chart: string | null }
  | { readonly page: 'absent'; readonly path: string };

/** The route of a path; one that cannot be decoded is absent, not an error. */
export function routeOf(path: string): Route {
  const absent: Route = { page: 'absent', path };
  let parts: string[];
  try {
    parts = path.split('/').filter(Boolean).map(decodeURIComponent);
  } catch {
    return absent;
  }
  const [first, second, third, fourth] = parts;
  if (first === undefined) return { page: 'runs' };
  if (first === 'runs' && second !== undefined) {
    if (parts.length === 2) return { page: 'run', run: second };
    if (parts.length === 4 && fourth !== undefined) {
      if (third === 'groups') return { page: 'group', run: second, group: fourth };
      if (third === 'episodes') return { page: 'episode', run: second, episode: fourth };
    }
  }
  if (first === 'runs' && parts.length === 1) return { page: 'runs' };
  if (first === 'compare' && parts.length === 1) return { page: 'compare' };
  if (first === 'charts' && parts.length <= 2) return { page: 'charts', chart: second ?? null };
  return absent;
}

/** Values of a query; `undefined` and null are left out. */
export type Query = Readonly<Record<string, string | number | null | undefined>>;

export function withQuery(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query))
    if (value !== undefined && value !== null && value !== '') search.set(key, String(value));
  const text = search.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** Addresses of pages and, with `/api` before them, of what they show. */
export const to = {
  runs: (): string => '/',
  run: (run: string, query?: Query): string => withQuery(`/runs/${encodeURIComponent(run)}`, query),
  group: (run: string, group: string, query?: Query): string => withQuery(`${to.run(run)}/groups/${encodeURIComponent(group)}`, query),
  episode: (run: string, episode: string, query?: Query): string =>
    withQuery(`${to.run(run)}/episodes/${encodeURIComponent(episode)}`, query),
  compare: (a: string, b: string, query?: Query): string => withQuery('/compare', { a, b, ...query }),
  charts: (chart?: string): string => (chart === undefined ? '/charts' : `/charts/${encodeURIComponent(chart)}`),
};
