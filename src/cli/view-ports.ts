/** What the viewer is given by the command line: the clock, the words of a run's model, what learning made of its rewards, and how to act. */
import { systemClock } from '../actors/clock.ts';
import { type LevelOutcome, levelResult } from '../actors/evaluating.ts';
import { batchRuleOf } from '../actors/settings.ts';
import { Config } from '../config.ts';
import { resultJson } from '../gpu/tokens/messages.ts';
import { advantagesIn } from '../learning/batch.ts';
import { pairedGain } from '../learning/evaluation.ts';
import type { JsonObject, JsonValue } from '../protocol/json.ts';
import type { ViewerPorts } from '../viewer/ports.ts';
import { tokenTextOf } from './token-text.ts';

export const viewerPorts = (note: (text: string) => void): ViewerPorts => ({
  clock: systemClock,
  note,
  tokenText: tokenTextOf,
  resultText: resultJson,
  advantages: (group, config) => {
    const parsed = Config.safeParse(config);
    // Evaluations teach nothing.
    if (!parsed.success || group.task.split === 'heldOut') return group.episodes.map(() => null);
    return advantagesIn(group, batchRuleOf(parsed.data));
  },
  levels: levelsOf,
  gain: pairedGain,
});

function levelsOf(result: JsonValue): JsonObject[] {
  if (!Array.isArray(result)) return [];
  try {
    return (result as unknown as LevelOutcome[]).map((level) => levelResult(level) as unknown as JsonObject);
  } catch {
    // Of another version: its figures cannot be made out.
    return [];
  }
}
