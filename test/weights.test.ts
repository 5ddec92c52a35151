import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConfigFault, RecordFault } from '../src/errors.ts';
import type { ModelShape } from '../src/gpu/engines/embedded/shape.ts';
import { modelCard } from '../src/gpu/model-card.ts';
import { decodeSafetensors, encodeSafetensors } from '../src/gpu/safetensors.ts';
import { vocabularyOf } from '../src/gpu/tokens/vocabulary.ts';
import { type Model, readModel, writeModel } from '../src/gpu/weights.ts';
import type { PolicyVersion } from '../src/protocol/ids.ts';
import { randomTensors } from './support/tiny-model.ts';

const shape: ModelShape = {
  vocab: 64,
  hidden: 16,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headDim: 8,
  intermediate: 24,
  ropeTheta: 1e6,
  eps: 1e-6,
  tied: true,
  maxPositions: 128,
};
const model: Model = {
  shape,
  vocabulary: vocabularyOf(['amber', 'arrow', '(', ')']),
  tensors: randomTensors(shape, 1),
  frozen: [{ name: 'model.layers.0.self_attn.q_proj.weight', rows: 16 }],
};
const three = 3 as PolicyVersion;

let root: string;
let sound: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'troupe-weights-'));
  sound = join(root, 'sound');
  writeModel(sound, three, model);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A copy of the sound directory in which one file was edited; `null` removes it. */
let copies = 0;
function spoilt(name: string, edit: (content: string) => string | Uint8Array | null): string {
  const dir = join(root, `spoilt-${copies++}`);
  cpSync(sound, dir, { recursive: true });
  const content = edit(readFileSync(join(dir, name), 'utf8'));
  if (content === null) rmSync(join(dir, name));
  else writeFileSync(join(dir, name), content);
  return dir;
}
const json = (edit: Readonly<Record<string, unknown>>) => (content: string) =>
  JSON.stringify({ ...(JSON.parse(content) as object), ...edit });

describe('a model directory', () => {
  test('is read back as it was written', () => {
    const read = readModel(sound);
    expect(read.shape).toEqual(shape);
    expect(read.vocabulary.words).toEqual(model.vocabulary.words);
    expect(read.frozen).toEqual(model.frozen);
    expect(read.end.map(read.vocabulary.word)).toEqual(['<|im_end|>']);
    expect(read.weights).toMatchObject({ version: 3, kind: 'full', dir: sound });
    for (const [name, data] of model.tensors) expect(read.tensors.get(name)).toEqual(data);
  });

  test('holds the files that transformers and vLLM look for, and no leftovers', () => {
    expect(readdirSync(sound).sort()).toEqual([
      'config.json',
      'generation_config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
      'troupe.json',
    ]);
    expect(readdirSync(root).filter((name) => name.includes('partial'))).toEqual([]);
  });

  test('carries the files it is given beside its own, such as a model card', () => {
    const card = modelCard({
      name: 'tiny-test',
      shape,
      words: 12,
      command: 'node dist/run.js imitate configs/base.yaml',
      config: 'configs/base.yaml',
      seed: 1,
      steps: 50,
      tokens: 1000,
      seconds: 2.4,
      machine: 'two cores',
      dataHash: 'd'.repeat(64),
      weightsHash: 'e'.repeat(64),
      firstLosses: [6.1, 5.9],
      evaluation: [{ difficulty: 50, exact: 0.5, lessons: 200 }],
    });
    writeModel(join(root, 'carded'), three, model, { extra: new Map([['README.md', card]]) });
    const written = readFileSync(join(root, 'carded', 'README.md'), 'utf8');
    expect(written).toContain('| 50 | 0.500 | 200 |');
    expect(written).toContain('6.1 5.9');
    expect(readModel(join(root, 'carded')).weights.version).toBe(3);
  });

  test('has the same sha256 whenever the weights are the same', () => {
    const again = writeModel(join(root, 'again'), three, { ...model, tensors: new Map([...model.tensors].reverse()) });
    expect(again.sha256).toBe(readModel(sound).weights.sha256);
  });

  test('is never overwritten', () => {
    expect(() => writeModel(sound, three, model)).toThrow(RecordFault);
  });

  test('replaces what an interrupted write left behind', () => {
    mkdirSync(join(root, '.late.partial'));
    writeFileSync(join(root, '.late.partial', 'model.safetensors'), 'half');
    writeModel(join(root, 'late'), three, model);
    expect(readModel(join(root, 'late')).weights.version).toBe(3);
    expect(existsSync(join(root, '.late.partial'))).toBe(false);
  });

  test('that cannot be written is a RecordFault', () => {
    expect(() => writeModel(join(sound, 'config.json', 'inner'), three, model)).toThrow(RecordFault);
  });

  test('is not written with a tensor missing or not finite', () => {
    const short = new Map([...model.tensors].slice(1));
    expect(() => writeModel(join(root, 'short'), three, { ...model, tensors: short })).toThrow('is missing');
    const [first] = model.tensors.keys();
    const broken = new Map(model.tensors).set(first as string, new Float32Array(shape.vocab * shape.hidden).fill(NaN));
    expect(() => writeModel(join(root, 'nan'), three, { ...model, tensors: broken })).toThrow('not finite');
    expect(existsSync(join(root, 'nan'))).toBe(false);
  });

  test('without our own notes is version 0 with nothing frozen', () => {
    const read = readModel(spoilt('troupe.json', () => null));
    expect(read.weights.version).toBe(0);
    expect(read.frozen).toEqual([]);
  });

  test('of transformers 4, where rope_theta stands at the top, is read', () => {
    expect(readModel(spoilt('config.json', json({ rope_parameters: undefined }))).shape.ropeTheta).toBe(1e6);
  });

  test('that is not what was published is refused', () => {
    const { weights } = readModel(sound);
    expect(() => readModel(sound, { ...weights, sha256: weights.sha256.replace(/^./, 'g') })).toThrow('not the file that was published');
  });

  const tensors = (edit: (found: ReturnType<typeof decodeSafetensors>) => void) => (): Uint8Array => {
    const found = decodeSafetensors(readFileSync(join(sound, 'model.safetensors')));
    edit(found);
    return encodeSafetensors(found);
  };
  test.each<[string, string, (content: string) => string | Uint8Array | null, string]>([
    ['no config.json', 'config.json', () => null, 'config.json is missing'],
    ['no weights', 'model.safetensors', () => null, 'model.safetensors is missing'],
    ['no tokenizer', 'tokenizer.json', () => null, 'tokenizer.json is missing'],
    ['a config.json that is no JSON', 'config.json', () => '{', 'no JSON'],
    ['another architecture', 'config.json', json({ model_type: 'llama' }), 'model_type'],
    ['attention biases', 'config.json', json({ attention_bias: true }), 'attention_bias'],
    ['scaled rotation', 'config.json', json({ rope_parameters: { rope_type: 'yarn', rope_theta: 1e6 } }), 'rope_parameters.rope_type'],
    ['a scaled rotation of transformers 4', 'config.json', json({ rope_scaling: { type: 'linear', factor: 2 } }), 'rope_scaling'],
    ['a sliding window', 'config.json', json({ use_sliding_window: true }), 'use_sliding_window'],
    ['heads that do not divide', 'config.json', json({ num_key_value_heads: 3 }), 'does not divide'],
    ['a negative size', 'config.json', json({ hidden_size: -16 }), 'hidden_size'],
    ['more words than rows', 'config.json', json({ vocab_size: 8 }), 'words for 8 embedding rows'],
    ['an end token outside the vocabulary', 'config.json', json({ eos_token_id: 64 }), 'eos_token_id'],
    ['a tensor missing', 'model.safetensors', tensors((found) => found.delete('model.norm.weight')), 'model.norm.weight is missing'],
    [
      'a tensor too many',
      'model.safetensors',
      tensors((found) => found.set('x', { shape: [1], data: new Float32Array(1) })),
      'not part of the architecture',
    ],
    [
      'a tensor of other dimensions',
      'model.safetensors',
      tensors((found) => found.set('model.norm.weight', { shape: [2, 8], data: new Float32Array(16) })),
      '[2, 8], not [16]',
    ],
    [
      'an infinite value',
      'model.safetensors',
      tensors((found) => found.set('model.norm.weight', { shape: [16], data: new Float32Array(16).fill(Infinity) })),
      'not finite',
    ],
    [
      'a cut file',
      'model.safetensors',
      () => new Uint8Array(readFileSync(join(sound, 'model.safetensors'))).slice(0, -4),
      'model directory',
    ],
    ['notes that freeze what is not there', 'troupe.json', json({ frozen: [{ name: 'model.norm.weight', rows: 17 }] }), 'freezes 17 rows'],
  ])('with %s is refused, by name', (_, name, edit, message) => {
    const dir = spoilt(name, edit);
    expect(() => readModel(dir)).toThrow(ConfigFault);
    expect(() => readModel(dir)).toThrow(message);
  });
});
