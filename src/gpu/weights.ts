/**
 * A model directory in Hugging Face form: config.json, generation_config.json, model.safetensors, tokenizer.json, tokenizer_config.json, and our own
 * troupe.json (which rows stay frozen). The same directory loads in transformers and vLLM. Knows files and their form; computes nothing.
 */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { boundarySync, ConfigFault, RecordFault } from '../errors.ts';
import { PolicyVersion } from '../protocol/ids.ts';
import type { Weights } from '../protocol/policy.ts';
import { type ModelShape, parametersOf } from './engines/embedded/shape.ts';
import { configJson, generationConfigJson, readConfig } from './model-config.ts';
import { decodeSafetensors, encodeSafetensors, type Tensor } from './safetensors.ts';
import { tokenizerFiles } from './tokens/files.ts';
import { marker } from './tokens/markers.ts';
import { readTokenizer, type Vocabulary } from './tokens/vocabulary.ts';

/** The first `rows` rows of a tensor that training leaves as they are; a norm's weight has one row per element. */
export interface FrozenRows {
  readonly name: string;
  readonly rows: number;
}

export interface Model {
  readonly shape: ModelShape;
  readonly vocabulary: Vocabulary;
  /** Hugging Face name → values, [out, in] for matrices, flat. */
  readonly tensors: ReadonlyMap<string, Float32Array>;
  readonly frozen: readonly FrozenRows[];
}

export interface StoredModel extends Model {
  readonly weights: Weights;
  /** Ids that end a turn. */
  readonly end: readonly number[];
}

/** Refused unread above this: the embedded engine is for small models. */
const MAX_BYTES = 2_000_000_000;
const Notes = z.strictObject({ version: PolicyVersion, frozen: z.array(z.strictObject({ name: z.string(), rows: z.int().min(1) })) });

/**
 * Writes a complete directory under a temporary name, fsyncs it and renames it into place, so that `dir` is whole or absent, whenever the process dies.
 * `extra` adds files (a model card, provenance); `durable: false` leaves the fsync to the checkpoint the directory is part of.
 * Throws RecordFault if `dir` exists or cannot be written.
 */
export function writeModel(
  dir: string,
  version: PolicyVersion,
  model: Model,
  { extra = new Map(), durable = true }: { readonly extra?: ReadonlyMap<string, string>; readonly durable?: boolean } = {},
): Weights {
  return boundarySync(RecordFault, `write model ${dir}`, () => {
    if (existsSync(dir)) throw new RecordFault(`write model ${dir}: it exists`);
    const { shape, vocabulary } = model;
    const ids = { end: vocabulary.id(marker.end), pad: vocabulary.id(marker.pad) };
    const safetensors = encodeSafetensors(checked(model));
    const files = new Map<string, string | Uint8Array>([
      ['config.json', configJson(shape, ids)],
      ['generation_config.json', generationConfigJson(ids)],
      ...tokenizerFiles(vocabulary, shape.maxPositions),
      ['troupe.json', `${JSON.stringify({ version, frozen: model.frozen }, null, 2)}\n`],
      ...extra,
      ['model.safetensors', safetensors],
    ]);
    const temporary = join(dirname(dir), `.${basename(dir)}.partial`);
    rmSync(temporary, { recursive: true, force: true });
    mkdirSync(temporary, { recursive: true });
    for (const [name, content] of files) writeFileSync(join(temporary, name), content, { flag: 'wx', flush: durable });
    if (durable) syncDirectory(temporary);
    renameSync(temporary, dir);
    if (durable) syncDirectory(dirname(dir));
    return { version, kind: 'full', dir, sha256: sha256(safetensors) };
  });
}

/**
 * Reads and checks a model directory. `expected` is what the writer said: another sha256 is a ConfigFault, as is every file that is missing,
 * damaged, of another architecture or of another tokenizer. A directory without troupe.json is version 0 with nothing frozen.
 */
export function readModel(dir: string, expected?: Weights): StoredModel {
  return boundarySync(ConfigFault, `model directory ${dir}`, () => {
    const { shape, end } = readConfig(readText(dir, 'config.json'));
    const vocabulary = readTokenizer(readText(dir, 'tokenizer.json'));
    if (vocabulary.words.length > shape.vocab) throw new ConfigFault(`${vocabulary.words.length} words for ${shape.vocab} embedding rows`);
    if (end.some((id) => id >= shape.vocab)) throw new ConfigFault('eos_token_id is outside the vocabulary');
    const bytes = readBytes(dir, 'model.safetensors');
    const hash = sha256(bytes);
    if (expected !== undefined && expected.sha256 !== hash)
      throw new ConfigFault(`model.safetensors in ${dir} is not the file that was published`);
    const notes = existsSync(join(dir, 'troupe.json'))
      ? Notes.parse(JSON.parse(readText(dir, 'troupe.json')))
      : { version: 0 as PolicyVersion, frozen: [] };
    const tensors = fitting(shape, decodeSafetensors(bytes));
    const dimensions = dimensionsOf(shape);
    for (const { name, rows } of notes.frozen) {
      if (rows > (dimensions.get(name)?.[0] ?? 0)) throw new ConfigFault(`troupe.json freezes ${rows} rows of ${name}`);
    }
    return {
      shape,
      end,
      vocabulary,
      tensors,
      frozen: notes.frozen,
      weights: { version: expected?.version ?? notes.version, kind: 'full', dir, sha256: hash },
    };
  });
}

/** Dimensions by Hugging Face name. */
const dimensionsOf = (shape: ModelShape): ReadonlyMap<string, readonly number[]> =>
  new Map(parametersOf(shape).list.map(({ name, kind, rows, cols }) => [name, kind === 'norm' ? [cols] : [rows, cols]]));

/** Exactly the tensors of the shape: none missing, none more, each of its dimensions and finite. A tied model may carry a copy of its head. */
function fitting(shape: ModelShape, found: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Float32Array> {
  const wanted = dimensionsOf(shape);
  const extra = [...found.keys()].find((name) => !wanted.has(name) && !(shape.tied && name === 'lm_head.weight'));
  if (extra !== undefined) throw new ConfigFault(`tensor ${extra} is not part of the architecture`);
  const tensors = new Map<string, Float32Array>();
  for (const [name, dimensions] of wanted) {
    const tensor = found.get(name);
    if (tensor === undefined) throw new ConfigFault(`tensor ${name} is missing`);
    if (String(tensor.shape) !== String(dimensions))
      throw new ConfigFault(`tensor ${name} is [${tensor.shape.join(', ')}], not [${dimensions.join(', ')}]`);
    if (!tensor.data.every(Number.isFinite)) throw new ConfigFault(`tensor ${name} holds a value that is not finite`);
    tensors.set(name, tensor.data);
  }
  return tensors;
}

function checked({ shape, tensors }: Model): ReadonlyMap<string, Tensor> {
  const wanted = dimensionsOf(shape);
  const shaped = new Map([...tensors].map(([name, data]) => [name, { shape: wanted.get(name) ?? [data.length], data }]));
  fitting(shape, shaped);
  return shaped;
}

function readBytes(dir: string, name: string): Uint8Array {
  const path = join(dir, name);
  if (!existsSync(path)) throw new ConfigFault(`${path} is missing`);
  if (statSync(path).size > MAX_BYTES) throw new ConfigFault(`${path} is larger than ${MAX_BYTES} bytes`);
  return readFileSync(path);
}
const readText = (dir: string, name: string): string => new TextDecoder().decode(readBytes(dir, name));

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
