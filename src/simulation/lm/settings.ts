/** How the roles that a language model plays are played: plain data, so that it can cross a thread. Knows no config. */
import type { SimulatorRole } from '../../protocol/outcome.ts';
import type { Branch } from '../../protocol/task.ts';
import type { Dialect } from './dialect.ts';

export interface LmSettings {
  readonly dialect: Dialect['name'];
  readonly temperature: Readonly<Record<SimulatorRole, number>>;
  /** Of one reply. */
  readonly maxTokens: Readonly<Record<SimulatorRole, number>>;
  /** Ask the server to constrain replies to their schema, where the dialect has one. */
  readonly structured: boolean;
  /** Characters of the world a tool is shown whole; beyond it, the touched records and an index. */
  readonly worldCharacters: number;
  /** Shares in which the writer is asked for each branch. */
  readonly branches: Readonly<Record<Branch, number>>;
  /** Decide by rules first, and ask the judge only what they leave open. False: an ablation. */
  readonly gates: boolean;
}
