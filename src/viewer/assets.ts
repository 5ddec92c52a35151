/** The built page's files, held in memory: a handful, named by what their addresses say. Knows no route but these. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';

export interface Asset {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
  /** Of the bytes. */
  readonly etag: string;
}

export interface Assets {
  /** The document every page address is answered with; null where the page was not built. */
  readonly document: Asset | null;
  /** By path, such as `/assets/page.js`. */
  get(path: string): Asset | undefined;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json; charset=utf-8',
  '.png': 'image/png',
};

/** Reads the folder once: nothing outside it can be asked for, whatever a path says. */
export function readAssets(dir: string): Assets {
  const files = existsSync(dir) ? readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()) : [];
  const found = new Map<string, Asset>();
  for (const entry of files) {
    const file = join(entry.parentPath, entry.name);
    found.set(`/${relative(dir, file).split(sep).join('/')}`, assetOf(file));
  }
  return { document: found.get('/index.html') ?? null, get: (path) => (path === '/index.html' ? undefined : found.get(path)) };
}

function assetOf(file: string): Asset {
  const bytes = new Uint8Array(readFileSync(file));
  return {
    bytes,
    type: types[extname(file)] ?? 'application/octet-stream',
    etag: `"${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}"`,
  };
}
