/** A chart as it is drawn: boxes, lines and words with their places in pixels, from the chart's upper left corner. Values only: the page draws it, nothing here lays it out. */

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** One line of words; `y` is its baseline, `x` where it begins. */
export interface Words {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

/** A line in the box of a state: what it waits for, does and begins, and (`stay`) the events that leave the states as they are. */
export interface Note extends Words {
  readonly kind: 'deadline' | 'invoke' | 'spawn' | 'entry' | 'exit' | 'stay';
  /** Id of the definition's edge; of `stay` alone. */
  readonly edge?: string;
}

export interface ChartNode extends Box {
  /** XState's; of a mark, its state's with `#initial` or `#any`. */
  readonly id: string;
  readonly parent: string | null;
  /** `initial`: the dot from which a compound state begins; `any`: from here leave the transitions that any state within takes. */
  readonly kind: 'atomic' | 'compound' | 'parallel' | 'final' | 'history' | 'initial' | 'any';
  readonly title: Words;
  readonly notes: readonly Note[];
  /** For a tooltip and for whoever reads instead of looking. */
  readonly about: string;
}

/** One transition of a drawn line: `edge` is its id in the definition. */
export interface Way {
  readonly edge: string;
  /** None where it begins a state. */
  readonly lines: readonly Words[];
  /** In full, where the lines are short. */
  readonly about: string;
}

/** All transitions from one state to another are one line. */
export interface ChartEdge {
  readonly source: string;
  readonly target: string;
  /** Corners, from source to target. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
  /** Behind the words; null where there are none. */
  readonly label: Box | null;
  readonly ways: readonly Way[];
}

export interface ChartGeometry {
  readonly name: string;
  /** Of the definition it was laid out from. */
  readonly hash: string;
  readonly width: number;
  readonly height: number;
  /** Outer before inner. */
  readonly nodes: readonly ChartNode[];
  readonly edges: readonly ChartEdge[];
}
