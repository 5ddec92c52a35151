/** How far each address was scrolled, for the browser's back button and a reload: what scrolls here are boxes, whose places no browser keeps. Knows boxes by name, not what is in them. */

/** Addresses remembered; the ones longest unused go first. */
const most = 60;
/** What is shown may come late, and only with it the height to scroll in. */
const patienceMs = 4000;
const name = 'places';

type Place = Readonly<Record<string, number>>;

const places = new Map<string, Place>(read());

/** A tab that may not store keeps them until it is loaded anew. */
function read(): [string, Place][] {
  try {
    const held: unknown = JSON.parse(sessionStorage.getItem(name) ?? '[]');
    return Array.isArray(held) ? (held as [string, Place][]) : [];
  } catch {
    return [];
  }
}

function write(): void {
  try {
    sessionStorage.setItem(name, JSON.stringify([...places]));
  } catch {
    // As above.
  }
}

const boxes = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>('[data-place]')];
const nameOf = (box: HTMLElement): string => box.dataset['place'] ?? '';
const address = (): string => location.pathname + location.search + location.hash;

let waiting = 0;
const stop = (): void => cancelAnimationFrame(waiting);

/** Scrolls to where this address was left, as soon as there is so much to scroll, unless somebody scrolls meanwhile. */
function restore(): void {
  stop();
  const place = places.get(address());
  if (place === undefined) return;
  const until = performance.now() + patienceMs;
  const wanted = new Map(Object.entries(place).filter(([, top]) => top > 0));
  const look = (): void => {
    for (const box of boxes()) {
      const top = wanted.get(nameOf(box));
      if (top === undefined || box.scrollHeight - box.clientHeight < top) continue;
      box.scrollTop = top;
      wanted.delete(nameOf(box));
    }
    if (wanted.size > 0 && performance.now() < until) waiting = requestAnimationFrame(look);
  };
  look();
}

/** Follows what is scrolled, and the browser's buttons. Call once, after whatever reads the address then. */
export function keepPlaces(): void {
  let due = false;
  const keep = (): void => {
    due = false;
    const here = address();
    places.delete(here);
    places.set(here, Object.fromEntries(boxes().map((box) => [nameOf(box), box.scrollTop])));
    for (const key of places.keys()) {
      if (places.size <= most) break;
      places.delete(key);
    }
  };
  document.addEventListener(
    'scroll',
    ({ target }) => {
      if (due || !(target instanceof HTMLElement) || target.dataset['place'] === undefined) return;
      due = true;
      requestAnimationFrame(keep);
    },
    { capture: true, passive: true },
  );
  for (const kind of ['wheel', 'keydown', 'pointerdown', 'touchstart']) addEventListener(kind, stop, { capture: true, passive: true });
  addEventListener('popstate', () => requestAnimationFrame(restore));
  addEventListener('pagehide', write);
  restore();
}
