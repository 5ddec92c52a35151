/** What is said of a model before it is loaded: its shape, how many weights it has, which weights they are, and what is wrong with its directory. */
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ConfigFault } from '../src/errors.ts';
import { openBase } from '../src/gpu/base-model.ts';
import { weightsHash } from '../src/gpu/base-model-weights.ts';
import { knownFacts, knownNames } from '../src/gpu/known-models.ts';
import { adapterParameters, factsOf, layerMatrices, type LayerMatrix, modelFacts, parametersOf } from '../src/gpu/model-facts.ts';
import { encodeSafetensors } from '../src/gpu/safetensors.ts';
import { readModel } from '../src/gpu/weights.ts';

const root = mkdtempSync(join(tmpdir(), 'troupe-facts-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const llama = {
  model_type: 'llama',
  hidden_size: 2048,
  num_hidden_layers: 16,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  head_dim: 64,
  intermediate_size: 8192,
  vocab_size: 128_256,
  max_position_embeddings: 131_072,
  tie_word_embeddings: true,
  torch_dtype: 'bfloat16',
  eos_token_id: [128_001, 128_008, 128_009],
};
const facts = (change: object) => factsOf(JSON.stringify({ ...llama, ...change }), 'config.json');

describe('the facts of a model', () => {
  test('are those of the model we ship, down to the last weight', () => {
    const own = modelFacts('models/tiny-base');
    const { shape, tensors, end } = readModel('models/tiny-base');
    expect(own).toMatchObject({
      family: 'qwen3',
      hidden: shape.hidden,
      layers: shape.layers,
      heads: shape.heads,
      kvHeads: shape.kvHeads,
      headDim: shape.headDim,
      intermediate: shape.intermediate,
      vocab: shape.vocab,
      tied: shape.tied,
      maxPositions: shape.maxPositions,
      dtype: 'float32',
      end,
    });
    expect(parametersOf(own)).toBe([...tensors.values()].reduce((sum, { length }) => sum + length, 0));
  });

  test.each([
    ['Qwen/Qwen3-0.6B', 596_049_920],
    ['Qwen/Qwen3-1.7B', 1_720_574_976],
    ['Qwen/Qwen3-4B', 4_022_468_096],
    ['Qwen/Qwen3-8B', 8_190_735_360],
    ['Qwen/Qwen3-14B', 14_768_307_200],
    ['Qwen/Qwen3-32B', 32_762_123_264],
    ['Qwen/Qwen2.5-7B', 7_615_616_512],
  ])('of %s are known and give its published number of weights', (name, published) => {
    expect(parametersOf(knownFacts(name) as NonNullable<ReturnType<typeof knownFacts>>)).toBe(published);
    expect(knownNames).toContain(name);
  });

  test('of a variant are those of its model, and of another maker’s model unknown', () => {
    expect(knownFacts('Qwen/Qwen3-8B-Base')).toEqual(knownFacts('Qwen/Qwen3-8B'));
    expect(knownFacts('Qwen/Qwen3-8B-FP8')).toBeNull();
    expect(knownFacts('constructor')).toBeNull();
  });

  test('of Llama 3.2 1B give its published number of weights: a tied head counts once', () => {
    expect(parametersOf(facts({}))).toBe(1_235_814_400);
    expect(facts({})).toMatchObject({ dtype: 'bfloat16', end: [128_001, 128_008, 128_009], biases: { queryKeyValue: false } });
  });

  test('of Mistral 7B, whose config names no head width and no tie, give its published number of weights', () => {
    const { head_dim: _head, tie_word_embeddings: _tied, ...rest } = llama;
    const mistral = factsOf(
      JSON.stringify({
        ...rest,
        model_type: 'mistral',
        hidden_size: 4096,
        num_hidden_layers: 32,
        intermediate_size: 14_336,
        vocab_size: 32_000,
        eos_token_id: 2,
      }),
      'config.json',
    );
    expect(mistral).toMatchObject({ headDim: 128, tied: false, end: [2] });
    expect(parametersOf(mistral)).toBe(7_241_732_096);
  });

  test('count an adapter of rank 32 on all matrices of Qwen3-8B as 87.3 million weights', () => {
    const eight = knownFacts('Qwen/Qwen3-8B') as NonNullable<ReturnType<typeof knownFacts>>;
    const all = Object.keys(layerMatrices(eight)) as LayerMatrix[];
    expect(adapterParameters(eight, 32, all)).toBe(87_293_952);
  });
});

describe('a config.json', () => {
  test.each([
    ['that is no JSON', '{', 'no JSON'],
    ['that is no object', '[]', 'dense causal language model'],
    ['without a width', JSON.stringify({ ...llama, hidden_size: undefined }), 'hidden_size'],
    ['of absurd size', JSON.stringify({ ...llama, num_hidden_layers: 1e12 }), 'num_hidden_layers'],
    ['with heads that do not divide', JSON.stringify({ ...llama, num_key_value_heads: 5 }), 'num_key_value_heads'],
    ['with an end outside the vocabulary', JSON.stringify({ ...llama, eos_token_id: 128_256 }), 'eos_token_id'],
    ['of a mixture of experts', JSON.stringify({ ...llama, num_experts: 128 }), 'mixtures of experts'],
  ])('%s is refused, naming what is wrong', (_, text, says) => {
    expect(() => factsOf(text, 'x/config.json')).toThrow(ConfigFault);
    expect(() => factsOf(text, 'x/config.json')).toThrow(says);
  });
});

describe('which weights a directory has', () => {
  const tensor = (value: number) => encodeSafetensors(new Map([['w', { shape: [4], data: new Float32Array(4).fill(value) }]]));
  function directory(files: { readonly [name: string]: Uint8Array | string }): string {
    const dir = mkdtempSync(join(root, 'model-'));
    for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content);
    return dir;
  }
  const index = (...names: string[]): string =>
    JSON.stringify({ metadata: {}, weight_map: Object.fromEntries(names.map((name, at) => [`w${at}`, name])) });

  test('of a small one is the hash by which readModel knows it', () => {
    const base = openBase('models/tiny-base');
    expect(base.weights).toEqual({ ...readModel('models/tiny-base').weights, version: 0, dir: 'models/tiny-base' });
    expect(base).toMatchObject({ vocabularySize: base.facts.vocab, contextLength: 1024 });
  });

  test('of several files changes with one value of one of them, and not with what is beside them', () => {
    const files = { 'model.safetensors.index.json': index('a.safetensors', 'b.safetensors'), 'a.safetensors': tensor(1) };
    const one = weightsHash(directory({ ...files, 'b.safetensors': tensor(2) }));
    expect(weightsHash(directory({ ...files, 'b.safetensors': tensor(2), 'c.safetensors': tensor(3), README: 'x' }))).toBe(one);
    expect(weightsHash(directory({ ...files, 'b.safetensors': tensor(3) }))).not.toBe(one);
    expect(weightsHash(directory({ ...files, 'b.safetensors': tensor(2), 'a.safetensors': tensor(0) }))).not.toBe(one);
  });

  test('is found through links, as the Hugging Face cache has them', () => {
    const dir = join(root, 'linked');
    mkdirSync(dir);
    symlinkSync(join(directory({ 'model.safetensors': tensor(1) }), 'model.safetensors'), join(dir, 'model.safetensors'));
    expect(weightsHash(dir)).toBe(weightsHash(directory({ 'model.safetensors': tensor(1) })));
  });

  test('cannot be told where files are missing, cut short, too long, or of another kind', () => {
    const cut = directory({ 'model.safetensors': tensor(1) });
    truncateSync(join(cut, 'model.safetensors'), readFileSync(join(cut, 'model.safetensors')).length - 1);
    const long = directory({ 'model.safetensors': tensor(1) });
    appendFileSync(join(long, 'model.safetensors'), 'x');
    const shards = { 'model.safetensors.index.json': index('a.safetensors', 'b.safetensors'), 'a.safetensors': tensor(1) };
    for (const [dir, says] of [
      [cut, 'not copied whole'],
      [long, 'not copied whole'],
      [directory(shards), '1 of 2 weight files are missing'],
      [directory({ 'model.safetensors': 'version https://git-lfs.github.com/spec/v1' }), 'no safetensors file'],
      [directory({ README: '' }), 'no *.safetensors'],
      [directory({ 'model.safetensors.index.json': index('../a.safetensors') }), 'weights in'],
    ] as const) {
      expect(() => weightsHash(dir), says).toThrow(ConfigFault);
      expect(() => weightsHash(dir)).toThrow(says);
    }
  });
});
