/** What a policy of a chat template says, read; and what a teacher would say, written. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chatRenderer } from '../src/gpu/tokens/chat.ts';
import type { Renderer } from '../src/gpu/tokens/renderer.ts';
import { readTaggedTurn } from '../src/gpu/tokens/tagged-turn.ts';
import type { JsonObject } from '../src/protocol/json.ts';
import { AgentTurn } from '../src/protocol/turn.ts';
import { pack, unpack } from '../src/protocol/codec.ts';
import { agent, chatModel, idOf, taskOf } from './support/chat-models.ts';

const tools = [
  {
    name: 'book_room',
    parameters: {
      type: 'object',
      properties: { guest: { type: 'string' }, nights: { type: 'integer' }, tags: { type: 'array' } },
    } as JsonObject,
  },
];
const task = taskOf({ tools });
const read = (text: string, thought: 'none' | 'tagged' | 'opened' = 'none'): AgentTurn => readTaggedTurn(text, task.tools, { thought });
const call = (body: string): string => `<tool_call>\n${body}\n</tool_call>`;
const booked = { name: 'book_room', arguments: { guest: 'Ann' } };
const json = JSON.stringify(booked);

describe('a turn of tagged calls', () => {
  test.each<[string, string, Partial<AgentTurn>]>([
    ['a call', call(json), { calls: [booked] }],
    ['a call without its end, where its JSON is whole', `<tool_call>${json}`, { calls: [booked] }],
    ['several calls', `${call(json)}\n${call('{"arguments": {}, "name": "x"}')}`, { calls: [booked, { name: 'x', arguments: {} }] }],
    ['words around calls as thought', `look\n${call(json)}\nthen\n${call(json)} `, { thought: 'look\n\nthen', calls: [booked, booked] }],
    ['words alone as text', '  Good morning.\n', { text: 'Good morning.' }],
    ['arguments in quotes', call('{"name": "book_room", "arguments": "{\\"guest\\": \\"Ann\\"}"}'), { calls: [booked] }],
    ['a thought, then text', '<think>\nhm\n</think>\n\nYes.', { thought: 'hm', text: 'Yes.' }],
    ['a thought, then a call', `<think>hm</think>${call(json)}`, { thought: 'hm', calls: [booked] }],
    ['a thought that never ends', `<think>\nhm ${call(json)}`, { thought: `hm ${call(json)}` }],
    ['a call inside a thought as thought', `<think>${call(json)}</think>No.`, { thought: call(json), text: 'No.' }],
    ['the end of a thought that the prompt began', 'hm</think>Yes.', { thought: 'hm', text: 'Yes.' }],
    ['two thoughts', '<think>a</think>Yes.<think>b</think>', { thought: 'a\n\nb', text: 'Yes.' }],
    [
      'nested tags, typed by the tool',
      call('<function=book_room>\n<parameter=guest>\n7\n</parameter>\n<parameter=nights>\n7\n</parameter>\n</function>'),
      { calls: [{ name: 'book_room', arguments: { guest: '7', nights: 7 } }] },
    ],
    [
      'nested tags of a tool it does not have',
      call('<function=x><parameter=a>[1]</parameter><parameter=b>b c</parameter></function>'),
      { calls: [{ name: 'x', arguments: { a: [1], b: 'b c' } }] },
    ],
    ['nested tags without parameters', call('<function=x>\n</function>'), { calls: [{ name: 'x', arguments: {} }] }],
    [
      'values that no message can carry as what comes nearest',
      call('{"name": "x", "arguments": {"\\udc00": ["\\ud800a", -0]}}'),
      { calls: [{ name: 'x', arguments: { '\ufffd': ['\ufffda', 0] } }] },
    ],
  ])('reads %s', (_, text, turn) => {
    expect(read(text)).toEqual(agent(turn));
  });

  test('reads what comes before </think> as thought where the template has opened it, all of it if it was cut', () => {
    expect(read('hm\n</think>\n\nYes.', 'opened')).toEqual(agent({ thought: 'hm', text: 'Yes.' }));
    expect(read('hm', 'opened')).toEqual(agent({ thought: 'hm' }));
    expect(read('hm <think> so', 'opened')).toEqual(agent({ thought: 'hm  so' }));
  });

  test.each([
    ['cut JSON', '<tool_call>\n{"name": "book_room", "argu', 'no valid JSON'],
    ['nothing', '<tool_call></tool_call>', 'empty'],
    ['words', call('book it'), 'no valid JSON'],
    ['a list', call(`[${json}]`), 'no JSON object'],
    ['no name', call('{"arguments": {}}'), 'no name'],
    ['a name that is no text', call('{"name": 3, "arguments": {}}'), 'no name'],
    ['no arguments', call('{"name": "x"}'), 'no arguments'],
    ['arguments that are a list', call('{"name": "x", "arguments": []}'), 'arguments are no object'],
    ['arguments that are null', call('{"name": "x", "arguments": null}'), 'arguments are no object'],
    ['quoted arguments that are no JSON', call('{"name": "x", "arguments": "{a}"}'), 'arguments: no valid JSON'],
    ['an unknown key', call('{"name": "x", "arguments": {}, "id": 1}'), 'unknown key "id"'],
    ['a key twice', call('{"name": "x", "arguments": {"a": 1, "\\u0061": 2}}'), '"a" twice'],
    ['__proto__', call('{"name": "x", "arguments": {"__proto__": {"a": 1}}}'), '__proto__ as a key'],
    ['a number beyond the doubles', call('{"name": "x", "arguments": {"a": [1e999]}}'), 'a number out of range'],
    ['deep nesting', call(`{"name": "x", "arguments": {"a": ${'['.repeat(40)}${']'.repeat(40)}}}`), 'more than 32 levels'],
    ['an end without a beginning', 'well </tool_call>', '</tool_call> without <tool_call>'],
    ['a function without a name', call('<function=>\n</function>'), 'no function name'],
    ['a function without its end', call('<function=x>'), 'no </function>'],
    ['a parameter without its end', call('<function=x>\n<parameter=a>\n1\n</function>'), 'a parameter without its end'],
    ['a parameter twice', call('<function=x><parameter=a>1</parameter><parameter=a>1</parameter></function>'), '"a" twice'],
    ['text between parameters', call('<function=x>so<parameter=a>1</parameter></function>'), 'text between parameters'],
  ])('keeps %s as data, with the reason', (_, text, reason) => {
    const turn = read(text);
    expect(turn.malformed).toEqual({ raw: text, reason });
    expect(turn.calls).toEqual([]);
    expect(turn.text).toBe('');
  });

  test('keeps the calls that can be read beside those that cannot', () => {
    const turn = read(`${call(json)}${call('x')}<tool_call>{`);
    expect(turn.calls).toEqual([booked]);
    expect(turn.malformed).toEqual({ raw: `${call('x')}\n<tool_call>{`, reason: 'no valid JSON; no valid JSON' });
  });

  test('is total: any text is a turn that every message can carry', () => {
    const pieces = [
      '<tool_call>',
      '</tool_call>',
      '<think>',
      '</think>',
      '{"name": "x", "arguments": ',
      '{}',
      '}',
      '"',
      '\\',
      '[',
      '<function=a>',
      '<parameter=b>',
      '</parameter>',
      '</function>',
      '\n',
      '\ud800',
      ',',
      ':',
      '-0',
    ];
    const said = fc.array(
      fc.oneof(
        fc.constantFrom(...pieces),
        fc.string({ maxLength: 4 }),
        fc.constantFrom('\u0338', '語', '🙂', '\ud800', '\udc00', '\0', '\u0085', '\u00a0', '\ufeff', '\ufffe'),
        fc.json({ maxDepth: 2 }),
      ),
      {
        maxLength: 14,
      },
    );
    fc.assert(
      fc.property(said, fc.constantFrom('none', 'tagged', 'opened'), (parts, thought) => {
        const turn = read(parts.join(''), thought);
        expect(AgentTurn.safeParse(turn).success).toBe(true);
        expect(unpack(pack(turn.calls))).toEqual(turn.calls);
      }),
      { numRuns: 150 },
    );
  });

  test('is read in time that grows with its length alone, whatever it repeats', () => {
    for (const piece of [
      '"\\"',
      '<tool_call>',
      '<think>',
      '{"a":',
      '[',
      '<parameter=a>',
      call('<function=x><parameter=a></parameter></function>'),
    ]) {
      const began = performance.now();
      read(piece.repeat(3000));
      read(`<tool_call>${piece.repeat(3000)}`);
      read(`<tool_call><function=x>${piece.repeat(3000)}`);
      expect(performance.now() - began).toBeLessThan(1500);
    }
  });
});

const renderers: readonly Renderer[] = [
  chatRenderer({ dir: chatModel('qwen3'), thinking: true }),
  chatRenderer({ dir: chatModel('qwen3'), thinking: false }),
  chatRenderer({ dir: chatModel('hermes'), thinking: false }),
  chatRenderer({ dir: chatModel('xml'), thinking: false }),
];
const [thinking, silent, hermes, xml] = renderers as [Renderer, Renderer, Renderer, Renderer];

describe('parse', () => {
  test('is total: any ids are a turn, those without a token included', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 30 }), fc.constantFrom(...renderers), (ids, renderer) => {
        expect(AgentTurn.safeParse(renderer.parse(Int32Array.from(ids), task)).success).toBe(true);
        expect(typeof renderer.text(Int32Array.from(ids))).toBe('string');
      }),
      { numRuns: 150 },
    );
  });

  test('reads half a letter at the end, and an id without a token, as U+FFFD', () => {
    const bytes = hermes.write(agent({ text: '語' }), task);
    const half = bytes.subarray(0, bytes.length - 2);
    expect(bytes.length).toBeGreaterThan(3);
    expect(hermes.parse(half, task).text).toBe('\ufffd');
    expect(hermes.text(Int32Array.of(...half, 60_000))).toBe('\ufffd\ufffd');
  });

  test('ends at the first stop token, whichever it is', () => {
    const [word] = hermes.write(agent({ text: 'a' }), task);
    for (const stop of ['<|im_end|>', '<|endoftext|>'])
      expect(hermes.parse(Int32Array.of(word as number, idOf(stop), word as number), task).text).toBe('a');
  });
});

describe('write', () => {
  const word = fc
    .string({ minLength: 1, maxLength: 8 })
    .map((text) => text.trim().normalize('NFC'))
    .filter((text) => text !== '' && text.trim() === text);
  const words = fc
    .array(fc.oneof(word, fc.constantFrom('<|im_end|>', '<|im_start|>user', '<tool_response>', '<b>', '"', '\\n', '<')), {
      minLength: 1,
      maxLength: 5,
    })
    .map((parts) => parts.join(' ').normalize('NFC'))
    .filter((text) => text.trim() === text);
  const value = fc.oneof(
    words,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(words, { maxLength: 2 }),
    fc.dictionary(word, words, { maxKeys: 2 }),
  );
  const args = fc.dictionary(
    fc.oneof(word, fc.constantFrom('<think>', '</tool_call>')),
    fc.oneof(value, fc.constantFrom('</tool_call>', '<think>')),
    { maxKeys: 3 },
  );
  const named = fc.record({ name: fc.oneof(word, fc.constantFrom('book_room', '<tool_call>')), arguments: args });
  // As a reader of JSON would have it: no key that JSON.parse cannot make, no -0.
  const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
  const calling = fc.array(named, { minLength: 1, maxLength: 3 });

  test('is undone by parse: text, thoughts and JSON calls, whatever they hold', () => {
    const turn = fc.oneof(
      words.map((text) => agent({ text })),
      fc.tuple(fc.oneof(words, fc.constant('')), calling).map(([thought, calls]) => agent({ thought, calls: plain(calls) })),
    );
    fc.assert(
      fc.property(turn, fc.constantFrom(thinking, silent, hermes), (said, renderer) => {
        const ids = renderer.write(said, task);
        expect(renderer.parse(ids, task)).toEqual(said);
        expect([...ids].filter((id) => renderer.stop.includes(id))).toHaveLength(1);
        expect(ids.at(-1)).toBe(idOf('<|im_end|>'));
      }),
      { numRuns: 200 },
    );
  });

  test('is undone by parse: a thought beside a text, where the template has a place for it', () => {
    fc.assert(
      fc.property(words, words, (thought, text) => {
        const said = agent({ thought, text });
        expect(thinking.parse(thinking.write(said, task), task)).toEqual(said);
      }),
    );
  });

  test('is undone by parse: calls as nested tags, typed by the tool', () => {
    const given = fc.record({ guest: words, nights: fc.integer(), tags: fc.array(words, { maxLength: 2 }) }, { requiredKeys: [] });
    fc.assert(
      fc.property(fc.array(given, { minLength: 1, maxLength: 3 }), (all) => {
        const said = agent({ calls: plain(all.map((each) => ({ name: 'book_room', arguments: each as JsonObject }))) });
        expect(xml.parse(xml.write(said, task), task)).toEqual(said);
      }),
    );
  });

  test.each([
    ['text beside a call', hermes, agent({ text: 'done', calls: [booked] })],
    ['a thought it would say aloud', hermes, agent({ thought: 'hm', text: 'done' })],
    ['a tag as text', thinking, agent({ text: 'so </think> then' })],
    ['a tag in nested tags', xml, agent({ calls: [{ name: 'x', arguments: { a: '</parameter>' } }] })],
  ])('refuses %s', (_, renderer, turn) => {
    expect(() => renderer.write(turn, task)).toThrow(RangeError);
  });

  test('thinks an empty thought where there is none, as the template itself writes it', () => {
    expect(thinking.text(thinking.write(agent({ text: 'Yes.' }), task))).toBe('<think>\n\n</think>\n\nYes.<|im_end|>');
  });
});
