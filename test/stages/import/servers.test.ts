/** Real MCP servers from npm, started over stdio the way a user would, with npx. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ToolSpec } from '../../../src/protocol/tool.ts';
import { loadTools } from '../../../src/tools/load.ts';
import { troupe } from '../../support/command-line.ts';

const folder = mkdtempSync(join(tmpdir(), 'troupe-servers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const view = spawnSync('npm', ['view', '@modelcontextprotocol/server-memory', 'version', '--prefer-online'], {
  encoding: 'utf8',
  timeout: 60_000,
});
const absent = view.status === 0 ? undefined : 'the npm registry does not answer';
if (absent !== undefined) console.warn(`import stage: ${absent}`);

test.skipIf(absent !== undefined).each([
  ['everything', [], ['echo', 'get-sum'], 5],
  ['filesystem', ['.'], ['read_text_file', 'write_file', 'list_directory'], 10],
  ['memory', [], ['create_entities', 'read_graph', 'search_nodes'], 8],
] as const)('the tools of server-%s are imported by one command, each of use', (name, more, expected, least) => {
  const out = join(folder, `${name}.jsonl`);
  const {
    code,
    out: said,
    err,
  } = troupe(
    [
      'tools',
      'import',
      'mcp',
      '--out',
      out,
      '--timeout',
      '90',
      '--json',
      '--',
      'npx',
      '-y',
      `@modelcontextprotocol/server-${name}`,
      ...more,
    ],
    { cwd: folder },
  );
  expect(err).toContain('tools of 1 categories');
  expect(code).toBe(0);
  const summary = JSON.parse(said) as { usable: number; rejected: number; effects: Record<string, number> };
  console.log(name, said.trim());
  expect(summary.rejected).toBe(0);
  expect(summary.usable).toBeGreaterThanOrEqual(least);
  const { usable } = loadTools(out);
  expect(usable).toHaveLength(summary.usable);
  expect(usable.map((tool) => tool.name)).toEqual(expect.arrayContaining([...expected]));
  for (const line of readFileSync(out, 'utf8').trimEnd().split('\n')) ToolSpec.parse(JSON.parse(line));
});
