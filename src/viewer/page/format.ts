/** Figures as people read them. One way for each kind of figure, on every page. */

/** `12,345`. */
export const whole = (value: number): string => Math.round(value).toLocaleString('en-US');

/** Three figures that matter: `0.125`, `12.5`, `1,250`, `1.2e-7`. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e7) return value.toExponential(1).replace('e+', 'e');
  if (size >= 1000) return whole(value);
  return String(Number(value.toPrecision(3)));
}

export const percent = (share: number | null | undefined): string =>
  share === null || share === undefined || Number.isNaN(share) ? '–' : `${Number((share * 100).toFixed(1))} %`;

/** A reward with its sign, a minus that is one, and a dash where there is none. */
export const reward = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : value > 0 ? `+${figure(value)}` : value < 0 ? `−${figure(-value)}` : '0';

/** `850 ms`, `12.4 s`, `3 min 20 s`. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || Number.isNaN(ms)) return '–';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Number((ms / 1000).toPrecision(3))} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

/** `s00012` → `12`, the evaluation `e00000.before` → `before`, `e00120.during` → `during 120`; anything else as it is. */
export function stepNumber(step: string): string {
  const training = /^s0*(\d+)$/.exec(step);
  if (training !== null) return training[1] ?? step;
  const [, number, when] = /^e0*(\d+)\.(before|after|during)$/.exec(step) ?? [];
  if (when === undefined) return step;
  return when === 'during' ? `during ${number}` : when;
}

/** The step that a group belongs to: its first part, and of an evaluation when it was. */
export const stepOf = (group: string): string => /^e\d+\.[a-z]+|^[^.]*/.exec(group)?.[0] ?? group;

/** A long id without its middle: what it begins with and what tells it from its neighbours. */
export function shortId(id: string): string {
  const parts = id.split('.');
  return id.length <= 24 || parts.length < 5 ? id : `${parts[0]}.…${parts.slice(-3).join('.')}`;
}

export const plural = (count: number, one: string, many = `${one}s`): string => `${whole(count)} ${count === 1 ? one : many}`;
