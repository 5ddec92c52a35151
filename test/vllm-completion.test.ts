import { expect, test } from 'vitest';
import fc from 'fast-check';
import { EngineFault } from '../src/errors.ts';
import { type Asked, completionBody, readCompletion } from '../src/gpu/engines/vllm/completion.ts';

const asked = (change: Partial<Asked> = {}): Asked => ({
  ids: Int32Array.of(10, 20, 30),
  n: 2,
  seed: 7,
  stop: [3],
  maxTokens: 4,
  temperature: 1,
  priority: 2,
  ...change,
});
const choice = (index: number, change: Record<string, unknown> = {}) => ({
  index,
  text: 'x',
  finish_reason: 'stop',
  token_ids: [9 + index, 3],
  logprobs: { token_logprobs: [-0.5, -0.25], tokens: ['a', 'b'] },
  ...change,
});
const reply = (change: Record<string, unknown> = {}) => ({
  model: 'base',
  choices: [choice(0), choice(1)],
  usage: { prompt_tokens: 3 },
  ...change,
});
const read = (body: unknown, of = asked()) => readCompletion(typeof body === 'string' ? body : JSON.stringify(body), of, 'base');

test('a request names every field that a server could fill in otherwise', () => {
  expect(JSON.parse(completionBody(asked(), 'run-v1-abc'))).toEqual({
    model: 'run-v1-abc',
    prompt: [10, 20, 30],
    n: 2,
    seed: 7,
    max_tokens: 4,
    stop_token_ids: [3],
    ignore_eos: true,
    temperature: 1,
    top_p: 1,
    top_k: -1,
    min_p: 0,
    repetition_penalty: 1,
    presence_penalty: 0,
    frequency_penalty: 0,
    logprobs: 0,
    return_token_ids: true,
    priority: 2,
    stream: false,
  });
});

test('greedy samples are asked for once and given n times, none sharing memory', () => {
  const greedy = asked({ temperature: 0, n: 3 });
  expect(JSON.parse(completionBody(greedy, 'base'))).toMatchObject({ n: 1, temperature: 0 });
  const { samples } = read(reply({ choices: [choice(0)] }), greedy);
  expect(samples).toHaveLength(3);
  expect(samples[1]).toEqual(samples[0]);
  expect(samples[1]?.ids.buffer).not.toBe(samples[0]?.ids.buffer);
});

test('choices are put in the order of their indices', () => {
  const { samples } = read(reply({ choices: [choice(1), choice(0)] }));
  expect(samples.map(({ ids }) => [...ids])).toEqual([
    [9, 3],
    [10, 3],
  ]);
  expect(samples[0]?.logprobs).toEqual(Float32Array.of(-0.5, -0.25));
});

test('cached tokens are told where the server tells them', () => {
  expect(read(reply()).cachedTokens).toBeUndefined();
  expect(read(reply({ usage: { prompt_tokens_details: { cached_tokens: 2 } } })).cachedTokens).toBe(2);
});

test('a log-prob a rounding error above 0 is 0', () => {
  const { samples } = read(reply({ choices: [choice(0), choice(1, { logprobs: { token_logprobs: [1e-7, -0.25] } })] }));
  expect(samples[1]?.logprobs[0]).toBe(0);
});

test.each<[string, unknown, RegExp]>([
  ['a web page', '<html><body>502</body></html>', /web page/],
  ['half a reply', JSON.stringify(reply()).slice(0, 60), /no JSON object/],
  ['a list', [], /no JSON object/],
  ['another model', reply({ model: 'other' }), /"other" answered, "base" was asked/],
  ['no model', reply({ model: undefined }), /was asked/],
  ['no choices', reply({ choices: null }), /no list of choices/],
  ['a missing choice', reply({ choices: [choice(0)] }), /1 choices instead of 2/],
  ['a choice too many', reply({ choices: [choice(0), choice(1), choice(2)] }), /3 choices instead of 2/],
  ['a repeated choice', reply({ choices: [choice(0), choice(0)] }), /two choices of index 0/],
  ['an index out of range', reply({ choices: [choice(0), choice(7)] }), /a choice of index 7/],
  ['an index that is no number', reply({ choices: [choice(0), { ...choice(1), index: '1' }] }), /a choice of index "1"/],
  ['a null choice', reply({ choices: [choice(0), null] }), /a choice of index/],
  ['an aborted sample', reply({ choices: [choice(0), choice(1, { finish_reason: 'abort' })] }), /an end called "abort"/],
  ['an echo of another prompt', reply({ choices: [choice(0), choice(1, { prompt_token_ids: [10, 20, 31] })] }), /another prompt was read/],
  ['an echo of a prompt cut short', reply({ choices: [choice(0), choice(1, { prompt_token_ids: [20, 30] })] }), /another prompt was read/],
  ['no ids', reply({ choices: [choice(0), choice(1, { token_ids: null })] }), /no token_ids/],
  ['an empty sample', reply({ choices: [choice(0), choice(1, { token_ids: [] })] }), /no token/],
  ['no log-probs', reply({ choices: [choice(0), choice(1, { logprobs: null })] }), /no log-probs/],
  ['too few log-probs', reply({ choices: [choice(0), choice(1, { logprobs: { token_logprobs: [-1] } })] }), /2 ids with 1 log-probs/],
  ['a null log-prob', reply({ choices: [choice(0), choice(1, { logprobs: { token_logprobs: [null, -1] } })] }), /a log-prob of null/],
  ['a log-prob above 0', reply({ choices: [choice(0), choice(1, { logprobs: { token_logprobs: [0.5, -1] } })] }), /a log-prob of 0.5/],
  [
    'an impossible log-prob',
    reply({ choices: [choice(0), choice(1, { logprobs: { token_logprobs: [-9999, -1] } })] }),
    /a log-prob of -9999/,
  ],
  ['a fractional id', reply({ choices: [choice(0), choice(1, { token_ids: [1.5, 3] })] }), /a token id of 1.5/],
  ['a negative id', reply({ choices: [choice(0), choice(1, { token_ids: [-1, 3] })] }), /a token id of -1/],
  ['an id beyond 31 bits', reply({ choices: [choice(0), choice(1, { token_ids: [2 ** 31, 3] })] }), /a token id of 2147483648/],
  [
    'more tokens than were allowed',
    reply({ choices: [choice(0), choice(1, { token_ids: [1, 1, 1, 1, 3], logprobs: { token_logprobs: [-1, -1, -1, -1, -1] } })] }),
    /5 tokens where 4 were allowed/,
  ],
])('%s is refused as malformed, its text kept', (_, body, message) => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  try {
    read(text);
  } catch (fault) {
    expect(fault).toBeInstanceOf(EngineFault);
    expect((fault as EngineFault).message).toMatch(message);
    expect((fault as EngineFault).trouble).toBe('malformed');
    return expect((fault as EngineFault).raw).toBe(text.slice(0, 2000));
  }
  throw new Error('it was accepted');
});

test('whatever arrives is a sound completion or an EngineFault, never anything else', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.record({ model: fc.constant('base'), choices: fc.jsonValue() }).map((x) => JSON.stringify(x)),
      ),
      (text) => {
        try {
          expect(read(text).samples).toHaveLength(2);
        } catch (error) {
          expect(error).toBeInstanceOf(EngineFault);
        }
      },
    ),
  );
});
