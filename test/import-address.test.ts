/** Where an MCP server may be, and what it may not make us do. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { readMcp } from '../src/tools/import/mcp.ts';
import { addressOf, fetchFrom, isLinkLocal } from '../src/tools/import/mcp-address.ts';

describe('an address of an MCP server', () => {
  test.each([
    'http://169.254.169.254/mcp',
    'http://0xA9FEA9FE/mcp',
    'http://[fe80::1]/mcp',
    'http://[::ffff:169.254.169.254]/mcp',
    'http://2852039166/mcp',
  ])('%s, where clouds keep credentials, is refused', (address) => {
    expect(() => addressOf(address)).toThrow(/link-local/);
  });

  test('is http, without a password in it', () => {
    expect(() => addressOf('file:///etc/passwd')).toThrow(/no http address/);
    expect(() => addressOf('http://me:word@example.org/')).toThrow(/--header/);
    expect(addressOf('http://127.0.0.1:1/mcp').port).toBe('1');
    expect(['10.0.0.1', '::1', '127.0.0.1', '169.255.0.1'].filter(isLinkLocal)).toEqual([]);
  });

  test('is not left: a redirect and another origin are refused unasked', async () => {
    let followed = 0;
    const redirecting = createServer((request, response) => {
      if (request.url === '/moved') followed++;
      response.writeHead(302, { location: request.url === '/a' ? '/moved' : 'http://169.254.169.254/latest' }).end();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => redirecting.once('listening', resolve));
    const origin = new URL(`http://127.0.0.1:${(redirecting.address() as AddressInfo).port}/a`);
    const get = fetchFrom(origin);
    await expect(get(origin)).rejects.toThrow(/redirects to \/moved: not followed/);
    await expect(get(new URL('/b', origin))).rejects.toThrow(/169\.254\.169\.254\/latest: not followed/);
    await expect(get('http://127.0.0.1:9/')).rejects.toThrow(/leads to 127\.0\.0\.1:9: not followed/);
    expect(followed).toBe(0);
    redirecting.close();
  });

  test('that answers without end is cut off', async () => {
    const endless = createServer((_, response) => {
      const piece = Buffer.alloc(1024 * 1024, 97);
      const more = (): void => void (response.destroyed || response.write(piece, () => setImmediate(more)));
      more();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => endless.once('listening', resolve));
    const origin = new URL(`http://127.0.0.1:${(endless.address() as AddressInfo).port}/`);
    await expect((await fetchFrom(origin)(origin)).text()).rejects.toThrow(/longer than 10 MiB/);
    endless.closeAllConnections();
    endless.close();
  });
});

describe('a list of an MCP server', () => {
  test('that means harm is sorted tool by tool', () => {
    const { tools, rejected } = readMcp(
      [
        { name: 'fine', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } },
        { name: 'outside', inputSchema: { $ref: 'file:///etc/passwd' } },
        { name: 'text', inputSchema: { type: 'string' } },
        { name: '', inputSchema: {} },
        null,
        { name: 'fine too', outputSchema: { $ref: 'http://169.254.169.254/' }, annotations: { readOnlyHint: false } },
      ],
      'box',
    );
    expect(tools.map(({ name, effects, category, returns }) => [name, effects, category, returns])).toEqual([
      ['fine', 'read', 'box', undefined],
      ['fine too', 'write', 'box', undefined],
    ]);
    expect(rejected.map(({ name, reason }) => [name, reason])).toEqual([
      ['outside', "reference outside: file:///etc/passwd: only files in the source's own folder are read"],
      ['text', 'parameters are no object schema'],
      ['#3', 'no MCP tool: name'],
      ['#4', 'no MCP tool: '],
    ]);
  });
});
