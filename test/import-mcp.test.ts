import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ConfigFault } from '../src/errors.ts';
import type { JsonObject } from '../src/protocol/json.ts';
import { candidatesOf, commandOf } from '../src/tools/import/formats.ts';
import { readMcp } from '../src/tools/import/mcp.ts';
import { listMcp, type McpList } from '../src/tools/import/mcp-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'troupe-mcp-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Time that runs ten times as fast, for servers that will not end. */
const after = (ms: number, fire: () => void): (() => void) => {
  const timer = setTimeout(fire, ms / 10);
  return () => clearTimeout(timer);
};
const wait = { after, probeMs: 300 };
const log = (manner: string): string => join(folder, `${manner}.log`);
const list = (manner: string, timeoutMs = 20_000): Promise<McpList> =>
  listMcp(
    { kind: 'command', command: [process.execPath, 'test/support/hosts/mcp-server.mjs', manner, log(manner)] },
    { ...wait, signal: AbortSignal.timeout(timeoutMs) },
  );

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    // A zombie that nobody has buried yet is no life.
    return !existsSync(`/proc/${pid}/stat`) || readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0] !== 'Z';
  } catch {
    return false;
  }
};

describe('an MCP server over stdio', () => {
  test('is asked for every page of its list and for nothing else, and is given none of our keys', async () => {
    process.env['TROUPE_TEST_KEY'] = 'secret';
    const { server, entries } = await list('tell');
    delete process.env['TROUPE_TEST_KEY'];
    expect(server).toBe('the tell server');
    const { tools, rejected } = readMcp(entries, server);
    expect(tools.map(({ name, effects, returns }) => [name, effects, returns])).toEqual([
      ['first', 'read', undefined],
      ['second', 'unknown', { type: 'object', properties: { b: { type: 'number' } } }],
      ['third', 'write', undefined],
    ]);
    expect(rejected).toEqual([{ name: 'bad', source: 'the tell server#3', reason: 'schema is no object' }]);
    const asked = readFileSync(log('tell'), 'utf8').trimEnd().split('\n');
    expect(new Set(asked.map((line) => line.split(' ')[0]))).toEqual(
      new Set(['server/discover', 'initialize', 'notifications/initialized', 'undefined', 'tools/list']),
    );
    expect(asked.filter((line) => line.startsWith('tools/list'))).toHaveLength(2);
    expect(asked.join()).not.toContain('TROUPE_TEST_KEY');
  });

  test('that does not answer the newest revision’s question is asked in the old one', async () => {
    expect((await list('old')).entries).toHaveLength(4);
  });

  test('that says more than messages is understood all the same', async () => {
    expect((await list('babble')).entries).toHaveLength(4);
  });

  test.each([
    ['broken', /MCP server .*broken.*: Connection closed/],
    ['endless', /its list of tools does not end/],
    ['circling', /its list of tools does not end/],
    ['listless', /MCP server .*listless/],
    ['flood', /MCP server .*flood/],
  ])('that is %s ends in a fault that names it', async (manner, message) => {
    const fault: unknown = await list(manner).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(ConfigFault);
    expect((fault as ConfigFault).message).toMatch(message);
    if (manner === 'broken') expect((fault as ConfigFault).raw).toBe('no key in the environment');
  });

  test('that says nothing is given up in the time given', async () => {
    await expect(list('mute', 400)).rejects.toThrow(/no list in the time given/);
  });

  test('that will not end is ended, and what it started with it', async () => {
    expect((await list('stubborn')).entries).toHaveLength(4);
    // Two a start; on a slow machine it may be started more than once.
    const pids = readFileSync(log('stubborn'), 'utf8').trim().split(' ').map(Number);
    expect(pids.length).toBeGreaterThanOrEqual(2);
    for (let tries = 0; tries < 50 && pids.some(isAlive); tries++) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test('that is not there is a fault at once', async () => {
    const missing = listMcp({ kind: 'command', command: ['no-such-command-here'] }, { ...wait, signal: AbortSignal.timeout(5000) });
    await expect(missing).rejects.toThrow(/no-such-command-here: .*ENOENT/);
  });

  test('is a command split at blanks, held together by quotes, never given to a shell', () => {
    expect(commandOf([`npx -y "a b" 'c d' $(e)`])).toEqual(['npx', '-y', 'a b', 'c d', '$(e)']);
    expect(commandOf(['npx', 'a b'])).toEqual(['npx', 'a b']);
    expect(() => commandOf(['  '])).toThrow(/a command or an http address/);
  });
});

describe('an MCP server over HTTP', () => {
  async function served(listener: RequestListener, act: (address: string) => Promise<void>): Promise<void> {
    const server = createServer(listener).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    try {
      await act(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }
  const answers: Record<string, JsonObject> = {
    initialize: { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'web', version: '1' } },
    'tools/list': { tools: [{ name: 'find', inputSchema: { type: 'object' } }] },
  };
  const options = (signal = AbortSignal.timeout(10_000)) => ({ after, signal, headers: { authorization: 'Bearer word' } });
  async function namesAt(address: string): Promise<string[]> {
    const names: string[] = [];
    for await (const { tools } of candidatesOf('mcp', [address], options()))
      names.push(...tools.map(({ name, source }) => `${name} ${source}`));
    return names;
  }

  test('is asked with the headers given, and lists', async () => {
    const methods: string[] = [];
    const headers = new Set<string | undefined>();
    const listener: RequestListener = (request, response) => {
      headers.add(request.headers.authorization);
      if (request.method !== 'POST') {
        response.writeHead(405).end();
        return;
      }
      let text = '';
      request.on('data', (piece: Buffer) => (text += piece.toString()));
      request.on('end', () => {
        const { id, method } = JSON.parse(text) as { id?: number; method: string };
        methods.push(method);
        if (id === undefined) {
          response.writeHead(202).end();
          return;
        }
        const result = answers[method];
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(
          JSON.stringify({
            jsonrpc: '2.0',
            id,
            ...(result === undefined ? { error: { code: -32601, message: 'no such method' } } : { result }),
          }),
        );
      });
    };
    await served(listener, async (address) => {
      expect(await namesAt(address)).toEqual(['find web#0']);
    });
    expect(methods).toEqual(['server/discover', 'initialize', 'notifications/initialized', 'tools/list']);
    expect([...headers]).toEqual(['Bearer word']);
  });

  test('that redirects, is no such server, or wants a password is a fault that says so', async () => {
    await served(
      (_, response) => response.writeHead(307, { location: 'http://169.254.169.254/' }).end(),
      async (address) => {
        await expect(namesAt(address)).rejects.toThrow(/redirects to http:\/\/169\.254\.169\.254\/: not followed/);
      },
    );
    await served(
      (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
      async (address) => {
        await expect(namesAt(address)).rejects.toThrow(ConfigFault);
      },
    );
    await served(
      (_, response) => response.writeHead(401).end(),
      async (address) => {
        await expect(namesAt(address)).rejects.toThrow(/401|[Uu]nauthorized/);
      },
    );
  });
});

test('a saved list of an MCP server is read like the server', async () => {
  const path = join(folder, 'saved.json');
  writeFileSync(path, JSON.stringify({ tools: [{ name: 'find', input_schema: { type: 'object' } }] }));
  const options = { after, signal: AbortSignal.timeout(1000), headers: {} };
  for await (const { tools } of candidatesOf('mcp', [path], options))
    expect(tools).toMatchObject([{ name: 'find', category: 'saved', source: 'saved#0' }]);
});
