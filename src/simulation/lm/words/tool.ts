/**
 * A tool, asked in words: the call, then the records it could be about; it answers with what it does and the value it gives. Code makes the patch of it.
 *
 *   system  tool {lookup} TOPIC GIVES                           lookup: it only reads
 *   user    NAME VALUE … {note NAME VALUE … GIVES VALUE}
 *   reply   ok VALUE | append VALUE | change VALUE | remove VALUE | missing
 */
import type { ToolView } from '../../contract.ts';
import type { Script, ToolDraft } from '../dialect.ts';
import { deedOfPatch, patchOf, touchedBy } from './records.ts';
import { deedOf, deeds, givesOf, pairs, part, plain, said, sign, spoken, topicOf, valueOf } from './speech.ts';

/** Records shown at most. */
const most = 10;

export const toolScript: Script<ToolView, ToolDraft> = {
  role: 'tool',
  version: 1,
  prompt: ({ tool, call, world }, complaints) => {
    const gives = givesOf(tool);
    const names = Object.keys(call.arguments);
    const records = touchedBy(call, tool, world, most).flatMap(({ record }) => [
      sign.note,
      // In the order of the call, so that what agrees and what does not stand at the same places.
      ...names.flatMap((name) => (Object.hasOwn(record, name) ? [name, spoken(record[name])] : [])),
      gives,
      Object.hasOwn(record, gives) ? spoken(record[gives]) : sign.dunno,
    ]);
    return [
      { role: 'system', content: [part.tool, ...topicOf(tool), gives, ...complaints.map(() => sign.again)].join(' ') },
      { role: 'user', content: [...pairs(call.arguments), ...records].join(' ') },
    ];
  },
  schema: () => undefined,
  read: (text, { tool, call, world }) => {
    const [word, ...rest] = plain(text, { most: 12 }) ?? [];
    if (word === said.missing && rest.length === 0) return { ok: true, answer: { found: false, observation: null, patch: [] } };
    const deed = deedOf(word ?? '');
    if (deed === undefined) return { ok: false, complaint: `begin with ${Object.values(deeds).join(', ')} or ${said.missing}` };
    if ((deed === 'find') !== (tool.effects === 'read') && tool.effects !== 'unknown')
      return { ok: false, complaint: tool.effects === 'read' ? 'this tool changes nothing' : 'this tool changes something' };
    const observation = valueOf(rest, tool.returns);
    if (observation === undefined) return { ok: false, complaint: `no value of ${givesOf(tool)}` };
    const patch = patchOf(deed, tool, call.arguments, observation, world);
    return typeof patch === 'string'
      ? { ok: false, complaint: patch, defect: 'inconsistent' }
      : { ok: true, answer: { found: true, observation, patch } };
  },
  write: ({ found, observation, patch }, { tool, world }) =>
    found ? `${deeds[deedOfPatch(patch, tool, world)]} ${spoken(observation)}` : said.missing,
};
