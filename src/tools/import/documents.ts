/** The files of one source: each read once, none outside the source's folder, none from a network. The only opener of specification files; knows no schema. */
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve as resolvePath, sep } from 'node:path';
import { boundarySync, ConfigFault, TroupeFault } from '../../errors.ts';
import type { JsonValue } from '../../protocol/json.ts';
import { follow, outside, type Resolve, type Resolved } from './json-schema/reference.ts';
import { textOfBytes } from '../utf8.ts';
import { parseText } from './text.ts';

const largestFile = 64 * 1024 * 1024;
const mostFiles = 20_000;
/** Of files that one specification refers to. */
const mostReferred = 200;
const deepestFolder = 20;

/** One specification's files, and the way from reference to value. */
export class Documents {
  readonly #root: string;
  readonly #values = new Map<string, JsonValue>();

  /** `root`: the folder nothing is read outside of. */
  constructor(root: string) {
    this.#root = boundarySync(ConfigFault, `source ${root}`, () => realpathSync(root));
  }

  /** `file` is relative to the root. Throws ConfigFault. */
  open(file: string): JsonValue {
    const known = this.#values.get(file);
    if (known !== undefined) return known;
    if (this.#values.size > mostReferred) throw new ConfigFault(`${file}: more than ${mostReferred} files`);
    const value = parseText(this.#textOf(file), file);
    this.#values.set(file, value);
    return value;
  }

  #textOf(file: string): string {
    return boundarySync(ConfigFault, file, () => {
      // After links are followed, not before.
      const path = this.#place(file);
      if (!inside(this.#root, path)) throw new ConfigFault(`${file}: outside the source's folder: import the folder that holds both`);
      const found = statSync(path);
      // A pipe or a device may never end.
      if (!found.isFile()) throw new ConfigFault(`${file}: no file`);
      if (found.size > largestFile) throw new ConfigFault(`${file}: larger than ${largestFile / 1024 / 1024} MiB`);
      return textOfBytes(readFileSync(path), file);
    });
  }

  #place(file: string): string {
    try {
      return realpathSync(join(this.#root, file));
    } catch {
      throw new ConfigFault(`${file}: there is no such file in the source's folder`);
    }
  }

  /** `#/a/b` in the same file, or `other.yaml#/a/b` beside it. Everything that names a place elsewhere is refused unread. */
  readonly resolve: Resolve = (reference, from) => {
    const hash = reference.indexOf('#');
    const pointer = hash < 0 ? '' : reference.slice(hash + 1);
    const path = hash < 0 ? reference : reference.slice(0, hash);
    if (path === '') return follow(this.open(from.base), from.base, pointer, from);
    const file = this.#neighbour(path, from.base);
    if (file === undefined) return outside(reference);
    try {
      return follow(this.open(file), file, pointer, from);
    } catch (error) {
      if (!(error instanceof TroupeFault)) throw error;
      return unreadable(error.message);
    }
  };

  /** The root-relative name of a path beside `base`; undefined for one that leaves the root, is absolute or has a scheme. */
  #neighbour(path: string, base: string): string | undefined {
    let plain: string;
    try {
      plain = decodeURIComponent(path);
    } catch {
      return undefined;
    }
    if (/^[A-Za-z][A-Za-z0-9+.-]*:/.test(plain) || /^[/\\~]/.test(plain) || /[\0\\]/.test(plain)) return undefined;
    const target = resolvePath(this.#root, dirname(base), plain);
    return inside(this.#root, target) ? relative(this.#root, target) : undefined;
  }
}

const unreadable = (reason: string): Resolved => ({ ok: false, circle: false, reason });

const inside = (root: string, path: string): boolean => path.startsWith(root.endsWith(sep) ? root : root + sep);

/** A file, or every JSON and YAML file of a folder, links not followed: the folder, and names relative to it in a fixed order. Throws ConfigFault. */
export function filesOf(source: string): { readonly root: string; readonly files: readonly string[]; readonly whole: boolean } {
  if (/^[A-Za-z][A-Za-z0-9+.-]+:\/\//.test(source)) throw new ConfigFault(`${source}: only local files are read: download it first`);
  return boundarySync(ConfigFault, `source ${source}`, () => {
    const path = resolvePath(source);
    const found = statSync(path);
    if (!found.isFile() && !found.isDirectory()) throw new ConfigFault(`source ${source}: neither file nor folder`);
    if (found.isFile()) return { root: dirname(path), files: [relative(dirname(path), path)], whole: false };
    const files: string[] = [];
    walk(path, '', files, 0);
    if (files.length === 0) throw new ConfigFault(`source ${source}: no JSON or YAML file in it`);
    return { root: path, files, whole: true };
  });
}

function walk(root: string, folder: string, files: string[], depth: number): void {
  if (depth > deepestFolder) return;
  const entries = readdirSync(join(root, folder), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) walk(root, path, files, depth + 1);
    else if (entry.isFile() && /\.(json|ya?ml)$/i.test(entry.name)) files.push(path);
    if (files.length > mostFiles) throw new ConfigFault(`more than ${mostFiles} files`);
  }
}
