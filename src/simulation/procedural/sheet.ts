/** Words with a mask of those to train on: what a drill is written on. Knows nothing of what they say. */

export interface Drill {
  readonly words: readonly string[];
  /** One per word: is it trained? */
  readonly trained: readonly boolean[];
}

/** Collects words, trained or only read. */
export class Sheet implements Drill {
  readonly words: string[] = [];
  readonly trained: boolean[] = [];
  read(...words: readonly string[]): void {
    this.#put(words, false);
  }
  train(...words: readonly string[]): void {
    this.#put(words, true);
  }
  #put(words: readonly string[], train: boolean): void {
    for (const word of words) {
      this.words.push(word);
      this.trained.push(train);
    }
  }
}
