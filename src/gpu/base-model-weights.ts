/** Which weights a model directory holds, as one sha256, without reading sixteen gigabytes: names, sizes, headers and samples. Computes nothing with them. */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { boundarySync, ConfigFault } from '../errors.ts';

/** A single file up to this is hashed whole: the hash that readModel and the checkpoints know it by. */
const wholeLimit = 256 * 1024 * 1024;
const headerLimit = 100_000_000;
/** Bytes read at each of `samples` evenly spaced places of a large file: two fine-tunes of one model have equal names, sizes and headers. */
const sampleBytes = 64 * 1024;
const samples = 16;

const Index = z.looseObject({ weight_map: z.record(z.string(), z.string().regex(/^[^/\\]+\.safetensors$/)) });
const Header = z.record(z.string(), z.looseObject({ data_offsets: z.tuple([z.int().min(0), z.int().min(0)]).optional() }));

/** Hex. Throws ConfigFault where a file is missing, cut short, or no safetensors file. */
export function weightsHash(dir: string): string {
  return boundarySync(ConfigFault, `weights in ${dir}`, () => {
    const names = weightFiles(dir);
    const [only] = names;
    if (names.length === 1 && only !== undefined && statSync(join(dir, only)).size <= wholeLimit) return wholeHash(join(dir, only));
    const hash = createHash('sha256');
    for (const name of names) {
      const path = join(dir, name);
      hash.update(`${name}\0${statSync(path).size}\0`);
      sampled(path, hash);
    }
    return hash.digest('hex');
  });
}

/** In the order of their names. An index lists them; without one, every *.safetensors counts. */
function weightFiles(dir: string): string[] {
  const index = join(dir, 'model.safetensors.index.json');
  if (!existsSync(index)) {
    const found = readdirSync(dir)
      .filter((name) => name.endsWith('.safetensors'))
      .toSorted();
    if (found.length === 0) throw new ConfigFault(`no *.safetensors in ${dir}`);
    return found;
  }
  const { weight_map: map } = Index.parse(JSON.parse(readFileSync(index, 'utf8')));
  const names = [...new Set(Object.values(map))].toSorted();
  const missing = names.filter((name) => !existsSync(join(dir, name)));
  if (missing.length > 0)
    throw new ConfigFault(`${dir}: ${missing.length} of ${names.length} weight files are missing, ${missing[0]} first`);
  return names;
}

function wholeHash(path: string): string {
  const bytes = readFileSync(path);
  checkHeader(path, bytes.subarray(0, 8), (length) => bytes.subarray(8, 8 + length), bytes.length);
  return createHash('sha256').update(bytes).digest('hex');
}

function sampled(path: string, hash: ReturnType<typeof createHash>): void {
  const file = openSync(path, 'r');
  try {
    const { size } = statSync(path);
    const read = (at: number, length: number): Buffer => {
      const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - at)));
      return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, at));
    };
    const start = checkHeader(path, read(0, 8), (length) => read(8, length), size);
    hash.update(read(0, start));
    const step = Math.max(sampleBytes, Math.floor((size - start) / samples));
    for (let at = start; at < size; at += step) hash.update(read(at, sampleBytes));
  } finally {
    closeSync(file);
  }
}

/** Where the data starts. Throws where the file is shorter or longer than its header says: a copy that was cut off. */
function checkHeader(path: string, prefix: Buffer, header: (length: number) => Uint8Array, size: number): number {
  if (prefix.length < 8) throw new ConfigFault(`${path} is no safetensors file`);
  const length = prefix.readBigUInt64LE();
  if (length > headerLimit || Number(length) > size - 8) throw new ConfigFault(`${path} is no safetensors file, or cut short`);
  const text = new TextDecoder('utf-8', { fatal: true }).decode(header(Number(length)));
  const { __metadata__: _metadata, ...entries } = Header.parse(JSON.parse(text));
  const end = Object.values(entries).reduce((last, { data_offsets }) => Math.max(last, data_offsets?.[1] ?? 0), 0);
  const start = 8 + Number(length);
  if (start + end !== size) throw new ConfigFault(`${path} has ${size} bytes, its header tells of ${start + end}: it was not copied whole`);
  return start;
}
