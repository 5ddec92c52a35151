/** An episode's tokens one by one: index, id, word, log-prob, and who it came from. The words need the model's tokenizer; without it the ids stand alone. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTokenizer } from '../gpu/tokens/vocabulary.ts';
import type { Episode } from '../protocol/episode.ts';
import { flag, recordAt, traceLength } from '../protocol/trace.ts';
import type { RunFolder } from '../record/folder.ts';
import { printableLine } from './printable.ts';
import { configOfRun } from './resume.ts';
import { table } from './table.ts';

export function tokenListing(folder: RunFolder, { traces }: Episode): string {
  const file = join(configOfRun(folder).policy.model, 'tokenizer.json');
  const words = existsSync(file) ? readTokenizer(readFileSync(file, 'utf8')).words : [];
  return traces
    .map((trace) => {
      const rows = Array.from({ length: traceLength(trace) }, (_, index) => {
        const { id, logprob, flags, policyVersion } = recordAt(trace, index);
        const sampled = (flags & flag.sampled) !== 0;
        return [
          `${index}`,
          `${id}`,
          printableLine(words[id] ?? ''),
          sampled ? logprob.toFixed(4) : '',
          sampled ? ((flags & flag.stop) !== 0 ? 'sampled, stop' : 'sampled') : 'read',
          `${policyVersion}`,
        ];
      });
      return `\n${table(['at', 'id', 'word', 'log-prob', 'from', 'version'], rows)}`;
    })
    .join('\n');
}
