/** Which key press means what: names of presses, sequences like `g g`, and who may be interrupted. Knows no browser. */

export interface Press {
  readonly key: string;
  readonly ctrl: boolean;
  readonly alt: boolean;
  /** Whether something is being typed into. */
  readonly typing: boolean;
}

/** One key of a view. `keys` as the help shows them: `j`, `g g`, `mod+k`, `Escape`. */
export interface Binding {
  readonly keys: string;
  readonly what: string;
  readonly act: () => void;
  /** Also while something is being typed. */
  readonly always?: boolean;
}

/** Bindings of one view, under the heading the help shows them by. */
export interface KeyGroup {
  readonly title: string;
  readonly bindings: readonly Binding[];
}

/** A first key waits this long for its second. */
const sequenceMs = 800;

const nameOf = ({ key, ctrl }: Press): string => (ctrl ? `mod+${key.toLowerCase()}` : key);

/** Tells the binding a press completes; holds the first half of a sequence meanwhile. */
export class KeyMatcher {
  #first = '';
  #until = 0;

  /** `pending`: the first half of something; null: nothing of ours. The last group wins: a dialog over its page. */
  match(press: Press, groups: readonly KeyGroup[], nowMs: number): Binding | 'pending' | null {
    if (press.alt) return null;
    const name = nameOf(press);
    const prefix = nowMs <= this.#until ? this.#first : '';
    this.#first = '';
    const open = groups
      .toReversed()
      .flatMap(({ bindings }) => bindings)
      .filter((binding) => !press.typing || binding.always === true);
    const exact = (keys: string): Binding | undefined => open.find((binding) => binding.keys === keys);
    const found = (prefix === '' ? undefined : exact(`${prefix} ${name}`)) ?? exact(name);
    if (found !== undefined) return found;
    if (!open.some((binding) => binding.keys.startsWith(`${name} `))) return null;
    this.#first = name;
    this.#until = nowMs + sequenceMs;
    return 'pending';
  }
}
