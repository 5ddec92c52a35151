/** Whole ToolBench lists (G1_instruction.json and the like), in the folder that TROUPE_TOOLBENCH names, else in data/toolbench. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ToolSpec } from '../../../src/protocol/tool.ts';
import { collect } from '../../../src/tools/import/collect.ts';
import { candidatesOf } from '../../../src/tools/import/formats.ts';
import { reasonTable } from '../../../src/tools/load.ts';

const folder = process.env['TROUPE_TOOLBENCH'] ?? join('data', 'toolbench');
const files = existsSync(folder) ? readdirSync(folder).filter((file) => /^G\d.*\.json$/.test(file)) : [];
const absent = files.length > 0 ? undefined : `no G*_instruction.json in ${folder}: TROUPE_TOOLBENCH names the folder`;
if (absent !== undefined) console.warn(`import stage: ${absent}`);

test('every list of ToolBench is imported in one run, into one list without doubles', async ({ skip }) => {
  if (absent !== undefined) skip(absent);
  const tools: ToolSpec[] = [];
  const options = { signal: AbortSignal.timeout(60_000), after: () => () => undefined, headers: {} };
  const paths = files.map((file) => join(folder, file));
  const report = await collect(candidatesOf('toolbench', paths, options), (tool) => tools.push(tool));
  console.log(
    JSON.stringify({
      sources: report.sources,
      usable: report.usable,
      reasons: reasonTable(report.rejected).slice(0, 8),
      categories: report.categories.size,
      effects: report.effects,
      lacks: report.lacks,
    }),
  );
  expect(report.sources).toBe(files.length);
  expect(new Set(tools.map(({ name }) => name)).size).toBe(report.usable);
  expect(report.usable).toBeGreaterThan(500);
  expect(report.rejected.filter(({ reason }) => reason !== 'the same tool again').length).toBeLessThan(report.usable / 20);
});
