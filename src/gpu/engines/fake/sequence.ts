/** One sample to be said, and how far it has come. Knows lengths and blocks, not words. */
import type { Holding } from './blocks.ts';
import { blockTokens } from './chain.ts';

export type JobEnd = 'done' | 'aborted';

/** One sequence to be said. */
export interface Job {
  readonly promptTokens: number;
  /** Cache keys of the prompt's full blocks. */
  readonly keys: readonly number[];
  /** Tokens it will say; at least 1. */
  readonly length: number;
  /** Lower is earlier. */
  readonly priority: number;
  /** Adapter it runs under. */
  readonly adapter?: string | undefined;
  /** Cache keys of prompt and reply together, asked for when it is done. */
  allKeys(): readonly number[];
  ended(end: JobEnd, at: number): void;
}

/** A job under way. */
export interface Sequence {
  readonly job: Job;
  readonly priority: number;
  readonly serial: number;
  said: number;
  /** Tokens still to be prefilled. */
  todo: number;
  /** What is prefilled of it in the step under way. */
  chunk: number;
  holding: Holding | undefined;
  /** Prompt tokens found in the cache when it was first placed. */
  cached: number | undefined;
  cancelled: boolean;
}

/** Blocks it needs once it has said `more` tokens more. */
export const blocksOf = ({ job, said }: Sequence, more = 0): number => Math.ceil((job.promptTokens + said + more) / blockTokens);
export const heldBy = ({ holding }: Sequence): number => (holding === undefined ? 0 : holding.keys.length + holding.own);
