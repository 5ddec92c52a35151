/** Where an MCP server may be reached over HTTP, and a fetch that goes nowhere else. Knows addresses and bytes, not what is said. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { FetchLike } from '@modelcontextprotocol/client';
import { ConfigFault } from '../../errors.ts';

const longestBody = 10 * 1024 * 1024;

/** Throws ConfigFault for what is no http address, carries a password, or names a link-local host: clouds keep credentials there. */
export function addressOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) throw new ConfigFault(`${text}: no http address`);
  if (url.username !== '' || url.password !== '') throw new ConfigFault(`${url.host}: give credentials as --header, not in the address`);
  refuseLinkLocal(url.hostname.replace(/^\[|\]$/g, ''), url.host);
  return url;
}

/** 169.254.0.0/16 and fe80::/10, the former also as IPv6 writes it. */
export function isLinkLocal(address: string): boolean {
  const plain = address.toLowerCase();
  if (isIP(plain) === 4) return plain.startsWith('169.254.');
  return isIP(plain) === 6 && (/^fe[89ab]/.test(plain) || /^(0*:)*:?ffff:(169\.254\.|a9fe:)/.test(plain));
}

function refuseLinkLocal(address: string, host: string): void {
  if (isLinkLocal(address)) throw new ConfigFault(`${host}: a link-local address is not read`);
}

/** Fetches from the one origin only, follows no redirect, and ends a body that is too long. */
export function fetchFrom(origin: URL): FetchLike {
  return async (address, init) => {
    const url = new URL(address);
    if (url.origin !== origin.origin) throw new ConfigFault(`${origin.host} leads to ${url.host.slice(0, 100)}: not followed`);
    for (const { address: found } of await lookup(url.hostname.replace(/^\[|\]$/g, ''), { all: true })) refuseLinkLocal(found, url.host);
    const response = await fetch(url, { ...init, redirect: 'manual' });
    if (response.status >= 300 && response.status < 400) {
      await response.body?.cancel();
      throw new ConfigFault(`${url.host} redirects to ${(response.headers.get('location') ?? 'nowhere').slice(0, 200)}: not followed`);
    }
    if (response.body === null) return response;
    let length = 0;
    const counted = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform: (bytes, controller) => {
          length += bytes.length;
          if (length > longestBody)
            controller.error(new ConfigFault(`${url.host}: an answer longer than ${longestBody / 1024 / 1024} MiB`));
          else controller.enqueue(bytes);
        },
      }),
    );
    return new Response(counted, { status: response.status, statusText: response.statusText, headers: response.headers });
  };
}
