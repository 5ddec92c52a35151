/** What every importer hands over: candidates of one file or server, not yet checked against each other. */
import type { ToolSpec } from '../../protocol/tool.ts';
import type { Rejection } from '../sieve.ts';

export interface Candidates {
  /** The file or server they come from. */
  readonly file: string;
  readonly tools: readonly ToolSpec[];
  readonly rejected: readonly Rejection[];
  /** What of their schemas was left out, once per tool and kind. */
  readonly cuts: readonly string[];
}
