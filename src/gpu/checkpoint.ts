/**
 * Checkpoints on disk, one directory a step: complete or invisible. Knows files, hashes and names; not what is in them.
 *
 * Written under a temporary name; the manifest, which names every file's sha256, comes last; when every file and folder is on the disk the directory is renamed into place.
 * So a directory without a manifest that verifies is the leftover of an interrupted write or removal: never loaded, removed when seen.
 * Nothing in a manifest depends on where the run lies or on when it ran: equal histories have equal manifests.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { z } from 'zod';
import { boundary, boundarySync, RecordFault } from '../errors.ts';
import { GroupId, PolicyVersion, StepId } from '../protocol/ids.ts';

const Manifest = z.strictObject({
  format: z.literal(1),
  step: StepId,
  version: PolicyVersion,
  groups: z.array(GroupId),
  /** Paths inside the directory, with `/`, sorted. */
  files: z.array(z.strictObject({ path: z.string(), bytes: z.int().min(0), sha256: z.string() })),
});
export type Manifest = z.infer<typeof Manifest>;

export interface Checkpoint {
  readonly dir: string;
  readonly manifest: Manifest;
  /** sha256 of the manifest's bytes, hex: what StepCommitted carries. */
  readonly hash: string;
}

export interface Retention {
  /** The newest so many are kept. */
  readonly last: number;
  /** So is every n-th step's; 0 = none of them. */
  readonly every: number;
}

const manifestName = 'manifest.json';
const partial = (step: string): string => `.${step}.partial`;

/**
 * `fill` writes the content into the directory it is given (which exists and is empty); it need not make it durable. Whatever an interrupted write of the same step left is removed first.
 * Throws RecordFault; then nothing of the step is visible.
 */
export function writeCheckpoint(
  root: string,
  head: Omit<Manifest, 'format' | 'files'>,
  fill: (dir: string) => Promise<void>,
): Promise<Checkpoint> {
  return boundary(RecordFault, `write checkpoint ${head.step}`, async () => {
    const [dir, temporary] = [join(root, head.step), join(root, partial(head.step))];
    rmSync(dir, { recursive: true, force: true });
    rmSync(temporary, { recursive: true, force: true });
    mkdirSync(temporary, { recursive: true });
    await fill(temporary);
    const files = filesIn(temporary).map((path) => ({ path, ...measure(join(temporary, path)) }));
    const manifest: Manifest = { format: 1, ...head, files };
    const text = `${JSON.stringify(manifest, null, 1)}\n`;
    writeFileSync(join(temporary, manifestName), text);
    // All at once: the disk is waited for once and not once a file.
    await Promise.all([...filesIn(temporary).map((path) => join(temporary, path)), ...foldersIn(temporary)].map(sync));
    renameSync(temporary, dir);
    await sync(root);
    return { dir, manifest, hash: sha256(text) };
  });
}

/** The checkpoint of a step, every byte verified; null where there is none or it is a leftover. */
export function readCheckpoint(root: string, step: StepId): Checkpoint | null {
  const dir = join(root, step);
  const path = join(dir, manifestName);
  if (!existsSync(path)) return null;
  const text = readFileSync(path, 'utf8');
  const parsed = Manifest.safeParse(parse(text));
  if (!parsed.success || parsed.data.step !== step) return null;
  const sound = parsed.data.files.every((file) => {
    const at = join(dir, file.path);
    return existsSync(at) && statSync(at).size === file.bytes && sha256(readFileSync(at)) === file.sha256;
  });
  return sound ? { dir, manifest: parsed.data, hash: sha256(text) } : null;
}

/** The policy version of a step's checkpoint by its manifest alone, its files unread; null where there is none. */
export function versionIn(root: string, step: StepId): PolicyVersion | null {
  const path = join(root, step, manifestName);
  const parsed = Manifest.safeParse(existsSync(path) ? parse(readFileSync(path, 'utf8')) : null);
  return parsed.success ? parsed.data.version : null;
}

/** Steps that have a directory here, oldest first, whether or not it verifies. */
export function listCheckpoints(root: string): StepId[] {
  if (!existsSync(root)) return [];
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => entry.name as StepId)
    .sort();
}

/** Removes what interrupted writes left, and every step after `last` (written and never committed). `last` null removes all. */
export function removeLeftovers(root: string, last: StepId | null): string[] {
  if (!existsSync(root)) return [];
  return boundarySync(RecordFault, `clean ${root}`, () => {
    const names = readdirSync(root).filter(
      (name) =>
        (name.startsWith('.') && name.endsWith('.partial')) ||
        (!name.startsWith('.') && (last === null || name > last || !existsSync(join(root, name, manifestName)))),
    );
    for (const name of names) rmSync(join(root, name), { recursive: true, force: true });
    return names;
  });
}

/**
 * Steps that retention lets go, oldest first; removed unless `dryRun`. The manifest goes first, so that a half-removed one is a leftover.
 * `spared` stay whatever retention says: a server may read their weights once more.
 */
export function pruneCheckpoints(
  root: string,
  { last, every }: Retention,
  { dryRun = false, spared = [] as readonly StepId[] } = {},
): StepId[] {
  const steps = listCheckpoints(root);
  const kept = new Set([...steps.slice(-Math.max(1, last)), ...spared]);
  const gone = steps.filter((step) => !kept.has(step) && !(every > 0 && Number(step.replace(/\D/g, '')) % every === 0));
  if (!dryRun) {
    for (const step of gone) {
      rmSync(join(root, step, manifestName), { force: true });
      rmSync(join(root, step), { recursive: true, force: true });
    }
  }
  return gone;
}

const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const entries = (dir: string): string[] => readdirSync(dir, { recursive: true, encoding: 'utf8' }).map((path) => join(dir, path));
const filesIn = (dir: string): string[] =>
  entries(dir)
    .filter((path) => statSync(path).isFile())
    .map((path) => relative(dir, path).split(sep).join('/'))
    .sort();
const foldersIn = (dir: string): string[] => [...entries(dir).filter((path) => statSync(path).isDirectory()), dir];

function measure(path: string): { bytes: number; sha256: string } {
  const content = readFileSync(path);
  return { bytes: content.length, sha256: sha256(content) };
}

/** Resolves when the file, or the folder's list of names, is on the disk. */
async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
