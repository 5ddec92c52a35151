/** Invented tool names of one or two syllables, drawn anew for each task and split so that held-out names never occur in training. Knows no tools. */
import type { Stream } from '../../random.ts';
import { syllables } from './lexicon.ts';

export type Split = 'train' | 'heldOut';

const index: ReadonlyMap<string, number> = new Map(syllables.map((syllable, i) => [syllable, i]));
const firstHeldOutSingle = syllables.length - 14;

/** Which split a name belongs to: the last fourteen syllables alone, and one pair in five, are held out. */
export function splitOfName(name: string): Split {
  const [a = -1, b] = name.split('_').map((part) => index.get(part) ?? -1);
  if (b === undefined) return a >= firstHeldOutSingle ? 'heldOut' : 'train';
  return (a * 31 + b * 17) % 5 === 0 ? 'heldOut' : 'train';
}

/** A name of the split that shares no first and no last syllable with the names drawn before it; `used` collects the syllables taken. */
export function drawName(draws: Stream, split: Split, used: Set<string>): string {
  for (;;) {
    const parts = draws.chance(0.5) ? [single(draws, split)] : [draws.pick(syllables), draws.pick(syllables)];
    if (parts.some((part) => used.has(part)) || parts[0] === parts[1]) continue;
    const name = parts.join('_');
    if (splitOfName(name) !== split) continue;
    for (const part of parts) used.add(part);
    return name;
  }
}

const single = (draws: Stream, split: Split): string =>
  split === 'heldOut'
    ? (syllables[firstHeldOutSingle + draws.int(syllables.length - firstHeldOutSingle)] as string)
    : (syllables[draws.int(firstHeldOutSingle)] as string);
