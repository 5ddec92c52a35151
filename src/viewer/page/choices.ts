/** What the palette offers, and which of it a few typed letters mean. Knows no browser. */
import { type Route, to } from './router.ts';

export interface Choice {
  readonly kind: 'run' | 'group' | 'episode' | 'page' | 'action';
  readonly title: string;
  readonly hint?: string;
  /** Where it leads, or what it does. */
  readonly go: string | (() => void);
}

/** How well typed letters fit a title: they must occur in order; runs of letters and beginnings of words weigh more. Null = not at all. */
export function fit(typed: string, title: string): number | null {
  const wanted = typed.toLowerCase().replaceAll(/\s+/g, '');
  const text = title.toLowerCase();
  let score = 0;
  let at = -1;
  let streak = 0;
  for (const letter of wanted) {
    const found = text.indexOf(letter, at + 1);
    if (found === -1) return null;
    streak = found === at + 1 ? streak + 1 : 0;
    score += 1 + streak * 2 + (found === 0 || /[\s./_-]/.test(text[found - 1] ?? '') ? 3 : 0);
    at = found;
  }
  return score - text.length / 100;
}

export function ranked(typed: string, choices: readonly Choice[], most: number): Choice[] {
  return choices
    .flatMap((choice, i) => {
      const score = fit(typed, `${choice.title} ${choice.hint ?? ''}`);
      return score === null ? [] : [{ choice, score, i }];
    })
    .sort((a, b) => b.score - a.score || a.i - b.i)
    .slice(0, most)
    .map(({ choice }) => choice);
}

/** Training `s00001.t003`, evaluation `e00000.before.….t003`. */
const groupId = /^[se]\d+\.(?:[\w-]+\.)*t\d+$/;
const episodeId = /^[se]\d+\.(?:[\w-]+\.)*t\d+\.e\d+$/;

/** An id that was typed or pasted leads there directly, within the run that is shown. */
export function typedIds(typed: string, route: Route): Choice[] {
  if (!('run' in route)) return [];
  const id = typed.trim().split('/')[0] ?? '';
  if (episodeId.test(id)) return [{ kind: 'episode', title: id, hint: route.run, go: to.episode(route.run, id) }];
  if (groupId.test(id)) return [{ kind: 'group', title: id, hint: route.run, go: to.group(route.run, id) }];
  return [];
}
