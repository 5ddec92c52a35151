/** Who speaks or acts: a shape, a word and a colour, the same everywhere on the page of an episode. */

export type Who = 'system' | 'user' | 'agent' | 'tool' | 'judge' | 'broker' | 'episode';

/** Drawn, because fonts differ in which signs they have. */
const shapes: Readonly<Record<Who, string>> = {
  system: 'M3 2h6v2h-6zM3 5.500h6v1h-6zM3 8h4v1h-4z',
  user: 'M6 1a2.500 2.500 0 1 1 0 5a2.500 2.500 0 0 1 0-5zM1.500 11a4.500 4.500 0 0 1 9 0z',
  agent: 'M6 .5l5.500 5.500l-5.500 5.500l-5.500-5.500z',
  tool: 'M3.500 1h5l2.500 5l-2.500 5h-5l-2.500-5z',
  judge: 'M6 1l5 9.500h-10z',
  broker: 'M1 3h7v-2l3.500 3l-3.500 3v-2h-7zM11 9h-7v2l-3.500-3l3.500-3v2h7z',
  episode: 'M1.500 1.500h9v9h-9z',
};

export const whoOf = (actor: string): Who => (Object.hasOwn(shapes, actor) ? (actor as Who) : 'episode');

export function WhoMark({ who, word = who }: { readonly who: Who; readonly word?: string }) {
  return (
    <span class="who" data-who={who}>
      <svg viewBox="0 0 12 12" aria-hidden="true">
        <path d={shapes[who]} />
      </svg>
      {word}
    </span>
  );
}
