/** What this browser remembers between visits: theme, widths of panes. Never data of a run. A browser that forbids it forgets, and nothing else. */
const prefix = 'troupe.';

export function stored(name: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(prefix + name) ?? 'null') as unknown;
  } catch {
    return null;
  }
}

export function store(name: string, value: unknown): void {
  try {
    localStorage.setItem(prefix + name, JSON.stringify(value));
  } catch {
    // Forbidden or full.
  }
}
