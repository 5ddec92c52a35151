/** Where the browser is, as signals over the History API. Links are plain anchors; this only spares them the reload. */
import { computed, effect, signal } from '@preact/signals';
import { enclosed, enclosedAddress } from './enclosed.ts';
import { type Query, routeOf } from './router.ts';

interface Address {
  readonly path: string;
  readonly search: string;
}

/** Null where the browser stands at no address of ours: keep the last. */
function placed(): Address | null {
  if (enclosed === null) return { path: location.pathname, search: location.search };
  const [path = '/', ...rest] = enclosedAddress(enclosed)?.split('?') ?? [];
  return enclosedAddress(enclosed) === null ? null : { path, search: rest.length === 0 ? '' : `?${rest.join('?')}` };
}

/** A file has one path: its addresses follow the `#`. */
const written = (path: string): string => (enclosed === null ? path : `#${path}`);

const address = signal<Address>(placed() ?? { path: '/', search: '' });

/** What is shown now. */
export const route = computed(() => routeOf(address.value.path));
/** Its query; read with `.value.get(…)`. */
export const query = computed(() => new URLSearchParams(address.value.search));
/** Path and query, as a link to here. */
const here = computed(() => address.value.path + address.value.search);

const read = (): void => {
  const next = placed();
  if (next !== null && (address.peek().path !== next.path || address.peek().search !== next.search)) address.value = next;
};

/** The filter of the table of episodes, while that is what is shown. */
export const shownFilter = computed(() =>
  route.value.page === 'run' && query.value.get('tab') === 'episodes' ? (query.value.get('filter') ?? '').trim() : '',
);

/** Goes there; `replace` leaves no step in the history. */
export function navigate(path: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  if (path === here.peek()) return;
  if (replace) history.replaceState(null, '', written(path));
  else history.pushState(null, '', written(path));
  const before = address.peek().path;
  read();
  // A new page starts at its top and takes the focus, as a loaded one would.
  if (before !== address.peek().path)
    requestAnimationFrame(() => {
      const main = document.querySelector<HTMLElement>('main');
      main?.scrollTo(0, 0);
      main?.focus();
    });
}

/** Changes keys of the query and keeps the rest; null takes a key away. Replaces the address unless told otherwise: scrubbing is no history. */
export function setQuery(change: Query, { push = false }: { readonly push?: boolean } = {}): void {
  const next = new URLSearchParams(address.peek().search);
  for (const [key, value] of Object.entries(change)) {
    if (value === null || value === undefined || value === '') next.delete(key);
    else next.set(key, String(value));
  }
  const search = next.toString();
  navigate(address.peek().path + (search === '' ? '' : `?${search}`), { replace: !push });
}

/** Follows the browser's buttons, and turns clicks on own links into navigation. Call once. */
export function listen(titleOf: () => string): void {
  addEventListener('popstate', read);
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (link === null || link.target !== '' || link.hasAttribute('download') || link.origin !== location.origin) return;
    const raw = link.getAttribute('href') ?? '';
    if (!raw.startsWith('/') || raw.startsWith('/api/')) return;
    event.preventDefault();
    navigate(enclosed === null ? link.pathname + link.search : raw);
  });
  effect(() => {
    document.title = titleOf();
  });
}
