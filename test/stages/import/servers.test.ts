/** Real MCP servers from npm, over stdio with npx as a user would start them, and over streamable HTTP. A scribe between us and the server notes what was asked of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { ToolSpec } from '../../../src/protocol/tool.ts';
import { loadTools } from '../../../src/tools/load.ts';
import { type Said, troupe } from '../../support/command-line.ts';
import { installed } from '../../support/registry.ts';

const version = '2026.8.31';
const folder = mkdtempSync(join(tmpdir(), 'troupe-servers-'));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const found = installed('@modelcontextprotocol/server-everything', version);
const absent = 'absent' in found ? found.absent : undefined;
if (absent !== undefined) console.warn(`import stage: ${absent}`);

// Passes everything on, both ways, and keeps a copy of what we said.
const scribe = join(folder, 'scribe.mjs');
writeFileSync(
  scribe,
  `import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
const [notes, file, ...args] = process.argv.slice(2);
const server = spawn(file, args, { stdio: ['pipe', 'inherit', 'inherit'] });
const book = createWriteStream(notes);
process.stdin.on('data', (bytes) => { book.write(bytes); server.stdin.write(bytes); });
process.stdin.on('end', () => server.stdin.end());
server.stdin.on('error', () => undefined);
server.on('exit', (code) => book.end(() => process.exit(code ?? 1)));
`,
);

/** What may be asked of a server: who it is, and what it has. */
const harmless = new Set(['server/discover', 'initialize', 'notifications/initialized', 'notifications/cancelled', 'tools/list', 'ping']);

function prove(said: Said, out: string, expected: readonly string[], least: number): void {
  expect(said.err).toContain('tools of 1 categories');
  expect(said.code).toBe(0);
  const summary = JSON.parse(said.out) as { usable: number; rejected: number; effects: Record<string, number> };
  expect(summary.rejected).toBe(0);
  expect(summary.usable).toBeGreaterThanOrEqual(least);
  const { usable } = loadTools(out);
  expect(usable).toHaveLength(summary.usable);
  expect(usable.map((tool) => tool.name)).toEqual(expect.arrayContaining([...expected]));
  for (const line of readFileSync(out, 'utf8').trimEnd().split('\n')) ToolSpec.parse(JSON.parse(line));
}

describe('over stdio', () => {
  test.skipIf(absent !== undefined).each([
    ['everything', [], ['echo', 'get-sum'], 5],
    ['filesystem', ['.'], ['read_text_file', 'write_file', 'list_directory'], 10],
    ['memory', [], ['create_entities', 'read_graph', 'search_nodes'], 8],
  ] as const)('the tools of server-%s are imported by one command, each of use, none called', (name, more, expected, least) => {
    const out = join(folder, `${name}.jsonl`);
    const notes = join(folder, `${name}.notes`);
    const server = ['npx', '-y', `@modelcontextprotocol/server-${name}@${version}`, ...more];
    const options = ['--out', out, '--timeout', '90', '--json'];
    const said = troupe(['tools', 'import', 'mcp', ...options, '--', process.execPath, scribe, notes, ...server], { cwd: folder });
    console.log(name, said.out.trim());
    prove(said, out, expected, least);
    const asked = readFileSync(notes, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { method?: string }).method ?? 'answer');
    expect(asked).toContain('tools/list');
    expect(asked.filter((method) => !harmless.has(method))).toEqual([]);
  });
});

describe('over streamable HTTP', () => {
  test.skipIf(absent !== undefined)('the tools of server-everything are those it lists over stdio', async () => {
    const { folder: home } = found as { folder: string };
    const port = await freePort();
    const child = spawn(process.execPath, [join(home, 'dist/index.js'), 'streamableHttp'], {
      stdio: 'ignore',
      env: { ...process.env, PORT: String(port) },
    });
    children.push(child);
    await listening(port);
    const out = join(folder, 'http.jsonl');
    const said = troupe(['tools', 'import', 'mcp', `http://127.0.0.1:${port}/mcp`, '--out', out, '--timeout', '60', '--json'], {
      cwd: folder,
    });
    console.log('http', said.out.trim());
    prove(said, out, ['echo', 'get-sum'], 5);
    const stdio = join(folder, 'everything.jsonl');
    if (!existsSync(stdio)) return;
    expect(
      loadTools(out)
        .usable.map(({ name }) => name)
        .toSorted(),
    ).toEqual(
      loadTools(stdio)
        .usable.map(({ name }) => name)
        .toSorted(),
    );
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Until somebody answers there, a minute at most. */
async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 240; tries++) {
    const answered = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    );
    if (answered) return;
    await pause(250);
  }
  throw new Error('server-everything does not listen');
}
