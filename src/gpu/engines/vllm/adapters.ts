/**
 * Which versions of the policy one server can answer, and under which name: loaded, retired, unloaded. Knows adapter directories by path; samples nothing.
 * A name is never given twice to different weights: the server's prefix cache is keyed by name and path, and would go on answering from the old ones.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { EngineFault } from '../../../errors.ts';
import type { PolicyVersion } from '../../../protocol/ids.ts';
import type { Weights } from '../../../protocol/policy.ts';
import type { Http, HttpReply } from './http.ts';
import { isRecord, isSuccess, parsed, refusalOf } from './refusal.ts';

export interface AdapterOptions {
  readonly http: Http;
  /** Name of the frozen base. */
  readonly base: string;
  /** What opens every adapter's name: unique to the run, since a server may serve several. */
  readonly prefix: string;
  /** The newest so many versions answer. */
  readonly versions: number;
  /** Milliseconds one load or unload may take. */
  readonly deadlineMs: number;
  /** Whether full weights of any version are the base itself: for a trainer that changes nothing. */
  readonly unchanging: boolean;
  /** Whether the adapter's file must hash to `Weights.sha256`. */
  readonly verified: boolean;
}

/** A version as the server knows it. */
export interface Served {
  readonly version: PolicyVersion;
  /** What requests name as their model. */
  readonly model: string;
  /** Absolute directory; null = the base itself. */
  readonly dir: string | null;
}

interface Entry extends Served {
  /** Requests under way. */
  users: number;
  /** No new request may name it; it is unloaded at a publication that finds it without users. */
  retired: boolean;
}

export interface Adapters {
  /** The version asked for, or the newest. Throws EngineFault (refused) where it does not answer any more, or yet. */
  serving(version: PolicyVersion | null): Served;
  /** Counts a request under way, so that its adapter stays; the returned function counts it off. */
  hold(served: Served): () => void;
  publish(weights: Weights): Promise<void>;
  /** Loads what the server has lost, by a restart or sleep. One at a time: callers that come meanwhile share it. */
  restore(): Promise<void>;
  /** Takes every adapter off the server and loads it again: after sleep its copy on the accelerator may be gone. */
  reload(): Promise<void>;
  /** Takes our adapters off a server that lives on. Best effort. */
  clear(deadlineMs: number): Promise<void>;
}

const adapterName = (prefix: string, { version, sha256 }: Weights): string => `${prefix}-v${version}-${sha256.slice(0, 12)}`;

export function createAdapters({ http, base, prefix, versions, deadlineMs, unchanging, verified }: AdapterOptions): Adapters {
  /** In order of their last publication. */
  const entries = new Map<string, Entry>();
  let newest: Entry | undefined;
  let restoring: Promise<void> | undefined;
  /** Loads and unloads happen one after the other. */
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  };

  const post = (path: string, body: object, patience = deadlineMs): Promise<HttpReply> =>
    http.send({ method: 'POST', path, body: JSON.stringify(body), deadlineMs: patience });
  const unload = async (model: string, patience?: number): Promise<void> => {
    const reply = await post('/v1/unload_lora_adapter', { lora_name: model }, patience);
    // 404: it is gone already, with a server that was restarted.
    if (!isSuccess(reply) && reply.status !== 404) throw refusalOf(reply, `unloading adapter ${model}`);
  };
  const load = async ({ model, dir }: Served): Promise<void> => {
    if (dir === null) return;
    const reply = await post('/v1/load_lora_adapter', { lora_name: model, lora_path: dir });
    if (isSuccess(reply)) return;
    // An earlier process of this run left it there: the name holds the weights' hash, so the same directory is the same adapter.
    if (reply.status === 400 && (await listModels(http, deadlineMs)).get(model) === dir) return;
    throw refusalOf(reply, `loading adapter ${model} from ${dir}, which the server must be able to read,`);
  };
  /** Only these are asked for anew; the directory of a retired one may be gone. */
  const answering = (): Entry[] => [...entries.values()].filter((entry) => entry.dir !== null && !entry.retired);

  const admit = async (weights: Weights): Promise<Entry> => {
    if (weights.kind === 'full') {
      if (weights.version !== 0 && !unchanging)
        throw new EngineFault(`version ${weights.version} is a whole model; a vLLM server takes new weights as adapters only`, {
          trouble: 'refused',
        });
      return { version: weights.version, model: base, dir: null, users: 0, retired: false };
    }
    const dir = resolve(weights.dir);
    if (verified) await verify(dir, weights);
    return { version: weights.version, model: adapterName(prefix, weights), dir, users: 0, retired: false };
  };

  return {
    serving: (version) => {
      if (newest === undefined) throw new EngineFault('no version is published yet', { trouble: 'refused' });
      if (version === null || version === newest.version) return newest;
      for (const entry of entries.values()) if (entry.version === version && !entry.retired) return entry;
      throw new EngineFault(`version ${version} was asked; ${listed([...entries.values()])}`, { trouble: 'refused' });
    },
    hold: (served) => {
      const entry = entries.get(keyOf(served));
      if (entry !== undefined) entry.users += 1;
      let held = true;
      return () => {
        if (held && entry !== undefined) entry.users -= 1;
        held = false;
      };
    },
    publish: (weights) =>
      inTurn(async () => {
        const next = await admit(weights);
        // Before the load, so that it never finds every slot taken by what nobody asks.
        for (const [key, entry] of entries)
          if (entry.retired && entry.users === 0) {
            // One that cannot be unloaded must not keep a new one back; the server lets go of the least used itself.
            if (entry.dir !== null) await unload(entry.model).catch(() => undefined);
            entries.delete(key);
          }
        await load(next);
        const key = keyOf(next);
        newest = entries.get(key) ?? next;
        newest.retired = false;
        // At the end, since the order is that of the last publication.
        entries.delete(key);
        entries.set(key, newest);
        // One that was published anew with other weights is not that version any more.
        for (const entry of entries.values()) if (entry !== newest && entry.version === next.version) entry.retired = true;
        const kept = [...entries.values()].filter((entry) => !entry.retired);
        for (const entry of kept.slice(0, -versions)) entry.retired = true;
      }),
    restore: () => {
      restoring ??= inTurn(async () => {
        const there = await listModels(http, deadlineMs);
        for (const entry of answering()) if (there.get(entry.model) !== entry.dir) await load(entry);
      }).finally(() => {
        restoring = undefined;
      });
      return restoring;
    },
    reload: () =>
      inTurn(async () => {
        for (const entry of answering()) {
          await unload(entry.model);
          await load(entry);
        }
      }),
    clear: async (patience) => {
      const ours = [...entries.values()].filter((entry) => entry.dir !== null);
      entries.clear();
      newest = undefined;
      await Promise.allSettled(ours.map((entry) => unload(entry.model, patience)));
    },
  };
}

/** The base may stand for several versions where the trainer changes nothing. */
const keyOf = ({ model, version }: Served): string => `${model} ${version}`;

function listed(entries: readonly Entry[]): string {
  const versions = entries.filter((entry) => !entry.retired).map((entry) => entry.version);
  return versions.length === 1 ? `version ${versions[0]} answers` : `versions ${versions.sort((a, b) => a - b).join(', ')} answer`;
}

/** Model name → directory, of what the server lists. Rejects with EngineFault. */
async function listModels(http: Http, deadlineMs: number): Promise<Map<string, string>> {
  const reply = await http.send({ method: 'GET', path: '/v1/models', deadlineMs });
  if (!isSuccess(reply)) throw refusalOf(reply, 'GET /v1/models');
  const body = parsed(reply.text);
  const cards = isRecord(body) && Array.isArray(body['data']) ? (body['data'] as unknown[]) : [];
  return new Map(
    cards.flatMap((card) =>
      isRecord(card) && typeof card['id'] === 'string' ? [[card['id'], typeof card['root'] === 'string' ? card['root'] : ''] as const] : [],
    ),
  );
}

async function verify(dir: string, { version, sha256 }: Weights): Promise<void> {
  const file = join(dir, 'adapter_model.safetensors');
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash).catch((error: unknown) => {
    throw new EngineFault(`the adapter of version ${version} cannot be read: ${String(error)}`, { cause: error, trouble: 'refused' });
  });
  const found = hash.digest('hex');
  if (found !== sha256)
    throw new EngineFault(`${file} is not version ${version}: its sha256 is ${found}, ${sha256} was published`, { trouble: 'refused' });
}
