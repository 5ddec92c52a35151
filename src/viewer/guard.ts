/**
 * Who may ask: a browser on this machine, on a page of ours. Knows headers and the token of this start; not what is asked for.
 *
 * Reading needs a Host that is ours: another site's name that was made to point here (DNS rebinding) sends its own. Acting needs besides an Origin that is this very page's, and the token,
 * which only a page of ours has: in a cookie that scripts cannot read and other sites cannot send. Bound to more than this machine, reading needs the token too; it is in the printed link.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { Context, MiddlewareHandler } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { Refusal } from './contract.ts';

/** Nothing from elsewhere, nothing inline, nobody around it. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);

const isLoopback = (host: string): boolean => ['localhost', '127.0.0.1', '::1'].includes(host);

export interface Guard {
  readonly token: string;
  /** Reading needs the token too. */
  readonly isOpen: boolean;
  /** Headers of every answer, and no answer to whoever must not ask. */
  readonly check: MiddlewareHandler;
  /** Gives the page its token. */
  admit(context: Context): void;
}

/** `host`: what the server is bound to. */
export function guardOf(host: string): Guard {
  const token = randomBytes(24).toString('base64url');
  const isOpen = !isLoopback(host);

  return {
    token,
    isOpen,
    check: async (context, next) => {
      const { req } = context;
      const refusal = refusalOf(req.header('host'), host);
      context.header('content-security-policy', policy);
      context.header('x-content-type-options', 'nosniff');
      context.header('x-frame-options', 'DENY');
      context.header('referrer-policy', 'no-referrer');
      context.header('cross-origin-opener-policy', 'same-origin');
      context.header('cross-origin-resource-policy', 'same-origin');
      context.header('cache-control', 'no-store');
      if (refusal !== null) return context.json({ error: refusal } satisfies Refusal, 403);
      const isAct = req.method !== 'GET' && req.method !== 'HEAD';
      if (isAct && req.header('origin') !== `http://${req.header('host')}`)
        return context.json({ error: 'actions are taken from a page of this viewer only' } satisfies Refusal, 403);
      const asksIn = isOpen && !isAct ? req.query('token') : undefined;
      if ((isAct || isOpen) && !isSame(asksIn ?? getCookie(context, cookieOf(req.header('host'))), token)) {
        deleteCookie(context, cookieOf(req.header('host')));
        return context.json(
          {
            error: isAct
              ? 'the viewer was started anew: load the page again'
              : 'open the link that the viewer printed: it carries the token',
          } satisfies Refusal,
          403,
        );
      }
      await next();
      return undefined;
    },
    admit: (context) => {
      setCookie(context, cookieOf(context.req.header('host')), token, { httpOnly: true, sameSite: 'Strict', path: '/' });
    },
  };
}

/** Browsers keep cookies by host, whatever the port: two viewers must not take each other's. */
const cookieOf = (host: string | undefined): string => `troupe-${/:(\d+)$/.exec(host ?? '')?.[1] ?? '80'}`;

/** Why not; null = it may ask. */
function refusalOf(header: string | undefined, bound: string): string | null {
  const name = (header ?? '').replace(/:\d+$/, '').toLowerCase();
  if (loopback.has(name)) return null;
  if (!isLoopback(bound)) {
    // An address is no name that could have been made to point here.
    const address = name.replace(/^\[|\]$/g, '');
    if (isIP(address) !== 0 || name === bound.toLowerCase() || name === hostname().toLowerCase()) return null;
  }
  return 'this viewer answers to its own address only: open the link that it printed';
}

function isSame(given: string | undefined, token: string): boolean {
  const [a, b] = [Buffer.from(given ?? ''), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}
