/**
 * A checkpoint is a directory that is whole or does not count: files synced, directory renamed into place, manifest last. Knows file names and hashes, not what the files mean.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { boundarySync, RecordFault } from '../errors.ts';
import { PolicyVersion, StepId } from '../protocol/ids.ts';
import { JsonObject } from '../protocol/json.ts';

export const Manifest = z.strictObject({
  v: z.literal(1),
  step: StepId,
  version: PolicyVersion,
  files: z.array(z.strictObject({ path: z.string(), bytes: z.int().min(0), sha256: z.string() })),
  /** What a resumed run needs besides the files: curriculum, task cursor, random streams. */
  state: JsonObject,
});
export type Manifest = z.infer<typeof Manifest>;

export type Verified = { readonly ok: true; readonly manifest: Manifest } | { readonly ok: false; readonly reason: string };

export const manifestName = 'manifest.json';

/** Makes `draft` (a directory somebody filled) the checkpoint `dir`. An unfinished one of the same name is replaced. Returns the sha256 of the manifest, hex. Throws RecordFault. */
export function sealCheckpoint(
  draft: string,
  dir: string,
  about: { readonly step: StepId; readonly version: PolicyVersion; readonly state: JsonObject },
): string {
  return boundarySync(RecordFault, `cannot write the checkpoint ${dir}`, () => {
    const files = filesIn(draft).map((path) => {
      const bytes = readFileSync(join(draft, path));
      syncPath(join(draft, path));
      return { path, bytes: bytes.length, sha256: sha256(bytes) };
    });
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dirname(dir), { recursive: true });
    renameSync(draft, dir);
    const text = Buffer.from(`${JSON.stringify({ v: 1, ...about, files } satisfies Manifest, null, 2)}\n`);
    const next = join(dir, `${manifestName}.next`);
    const fd = openSync(next, 'w');
    writeSync(fd, text);
    fsyncSync(fd);
    closeSync(fd);
    renameSync(next, join(dir, manifestName));
    syncPath(dir);
    syncPath(dirname(dir));
    return sha256(text);
  });
}

/** Whether `dir` is the checkpoint whose manifest has this hash, every file as it was. */
export function verifyCheckpoint(dir: string, hash: string): Verified {
  const file = join(dir, manifestName);
  if (!existsSync(file)) return { ok: false, reason: 'it has no manifest' };
  const text = readFileSync(file);
  if (sha256(text) !== hash) return { ok: false, reason: 'its manifest is not the one that was committed' };
  const manifest = Manifest.parse(JSON.parse(text.toString('utf8')));
  for (const { path, bytes, sha256: expected } of manifest.files) {
    const at = join(dir, path);
    if (!existsSync(at)) return { ok: false, reason: `${path} is missing` };
    if (statSync(at).size !== bytes || sha256(readFileSync(at)) !== expected) return { ok: false, reason: `${path} was changed` };
  }
  return { ok: true, manifest };
}

/** Removes all but the newest `keep` checkpoints under `parent` (named by step, so that names sort in time order). Returns what was removed. */
export function retainCheckpoints(parent: string, keep: number): string[] {
  if (!existsSync(parent)) return [];
  const sealed = readdirSync(parent)
    .filter((name) => existsSync(join(parent, name, manifestName)))
    .toSorted();
  const gone = sealed.slice(0, Math.max(0, sealed.length - Math.max(1, keep)));
  for (const name of gone) rmSync(join(parent, name), { recursive: true, force: true });
  return gone;
}

function filesIn(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== manifestName)
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)))
    .toSorted();
}

function syncPath(path: string): void {
  const fd = openSync(path, 'r');
  fsyncSync(fd);
  closeSync(fd);
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
