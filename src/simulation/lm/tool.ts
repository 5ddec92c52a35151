/**
 * A tool played by a language model: it is shown the call and the world, and says what comes back and how the world changes. Code decides whether the world can bear that answer (ledger.ts).
 * Errors are not its business, but for a look-up that finds nothing; what the user wants it never sees, but in an ablation.
 */
import type { ToolSimulator, ToolView } from '../contract.ts';
import type { Script, ToolDraft } from './dialect.ts';
import { harmIn } from './harm.ts';
import { contradictionIn } from './ledger.ts';
import type { LmSettings } from './settings.ts';
import { shownWorld } from './touched.ts';

export const lmTool = (script: Script<ToolView, ToolDraft>, settings: LmSettings): ToolSimulator => ({
  role: 'tool',
  pose: (view, complaints) => {
    const shown = { ...view, world: shownWorld(view, settings.worldCharacters) };
    const schema = settings.structured ? script.schema(shown) : undefined;
    return {
      kind: 'chat',
      messages: script.prompt(shown, complaints),
      ...(schema === undefined ? {} : { schema }),
      maxTokens: settings.maxTokens.tool,
      temperature: settings.temperature.tool,
    };
  },
  read: (reply, view) => {
    if (typeof reply !== 'string') return { ok: false, complaint: 'the answer is no text', defect: 'malformed' };
    const drafted = script.read(reply, view);
    if (!drafted.ok) return drafted;
    const { found, observation, patch } = drafted.answer;
    const harm = harmIn([observation, patch]);
    if (harm !== undefined) return { ok: false, complaint: harm, defect: 'malformed' };
    const contradiction = contradictionIn(view, drafted.answer);
    if (contradiction !== undefined) return { ok: false, complaint: contradiction, defect: 'inconsistent' };
    return {
      ok: true,
      answer: found ? { status: 'ok', observation, patch } : { status: 'notFound', observation: null, patch: [] },
    };
  },
});
