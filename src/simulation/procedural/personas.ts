/** How people talk: a table. Knows nothing of tasks; adding a line adds a persona. */

export interface Persona {
  /** What `Task.persona` says. */
  readonly name: string;
  /** The aspect value it belongs to: 0 expert, 1 beginner, 2 novice. */
  readonly level: 0 | 1 | 2;
  /** Probability of one more filler wherever one may stand. */
  readonly fillers: number;
  /** An answer is the value alone; or the word asked for, a synonym, or nothing before it. */
  readonly answers: 'bare' | 'named' | 'reworded';
}

export const personas: readonly Persona[] = [
  { name: 'expert, terse', level: 0, fillers: 0, answers: 'bare' },
  { name: 'expert, exact', level: 0, fillers: 0, answers: 'named' },
  { name: 'beginner, friendly', level: 1, fillers: 0.12, answers: 'named' },
  { name: 'beginner, casual', level: 1, fillers: 0.16, answers: 'bare' },
  { name: 'novice, chatty', level: 2, fillers: 0.3, answers: 'named' },
  { name: 'novice, vague', level: 2, fillers: 0.26, answers: 'reworded' },
];

const terse = personas[0] as Persona;
/** The persona of a task; a name that is none of ours talks tersely. */
export const personaNamed = (name: string): Persona => personas.find((persona) => persona.name === name) ?? terse;
export const personasAt = (level: number): readonly Persona[] => personas.filter((persona) => persona.level === level);
