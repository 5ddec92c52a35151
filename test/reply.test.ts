/** One JSON object out of whatever a language model wrote around it, and nothing that harms a reader. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { pack, unpack } from '../src/protocol/codec.ts';
import type { JsonObject } from '../src/protocol/json.ts';
import { objectIn } from '../src/simulation/lm/reply.ts';
import { anyJson } from './support/arbitraries.ts';

const object: JsonObject = { say: 'a } brace, a \\" quote and ``` a fence', done: false };
const said = JSON.stringify(object);

test.each([
  ['alone', said],
  ['between blanks', `\n  ${said}\t\n`],
  ['on many lines', JSON.stringify(object, null, 2)],
  ['in a fence', `\`\`\`json\n${said}\n\`\`\``],
  ['in a fence without a language', `Here you are:\n\`\`\`\n${said}\n\`\`\`\nAnything else?`],
  ['in a fence that was cut off', `\`\`\`json\n${said}`],
  ['after a thought', `<think>The user said {"say": "no"} and\nI wonder.</think>\n${said}`],
  ['after a thought that the template began', `So I say {"done": true}?\n</think>\n\n${said}`],
  ['after chatter', `Sure! The answer is: ${said} I hope it helps.`],
  ['after braces that are no JSON', `With {braces} and {more {of} them}: ${said}`],
  ['before another object', `${said}\n{"say": "other", "done": true}`],
  ['in a fence after an empty object', `Nothing is {}.\n\`\`\`json\n${said}\n\`\`\``],
  ['after a lone bracket', `) ] } ${said}`],
])('an object %s is found', (_, text) => {
  expect(objectIn(text)).toEqual({ ok: true, answer: object });
});

test.each([
  ['nothing', '', 'no JSON object'],
  ['words', 'I cannot do that.', 'no JSON object'],
  ['a list', '[1, 2]', 'no JSON object'],
  ['an object cut off', '{"say": "hel', 'no whole JSON object'],
  ['a thought without an end', '<think>{"say": "x", "done": true}', 'no whole JSON object'],
  ['quotes of another kind', "{'say': 'x'}", 'no whole JSON object'],
  ['a prototype', '{"a": {"__proto__": {"polluted": true}}}', '__proto__'],
  ['half a character', '{"a": "\\ud800"}', 'half a character'],
  ['half a character as a name', '{"\\udfff": 1}', 'half a character'],
  ['too deep a value', `{"a": ${'['.repeat(30)}${']'.repeat(30)}}`, 'nested deeper'],
  ['too many values', `{"a": [${'0,'.repeat(20_000)}0]}`, 'more than 20000 values'],
  ['a flood', `{"a": "${'x'.repeat(300_000)}"}`, 'longer than'],
])('%s is refused with the reason', (_, text, reason) => {
  expect(objectIn(text)).toEqual({ ok: false, defect: 'malformed', complaint: expect.stringContaining(reason) as string });
});

test('what is found can cross a thread', () => {
  const found = objectIn('{"zero": -0, "list": [-0.0, {"deep": -0}], "big": 1e999}');
  if (!found.ok) throw new Error(found.complaint);
  expect(unpack(pack(found.answer, { checked: true }))).toEqual(found.answer);
});

test('an object is found in any text that holds no other brace', () => {
  const anyObject = fc.dictionary(
    fc.string().filter((key) => key !== '__proto__'),
    anyJson,
    { noNullPrototype: true },
  );
  const chatter = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[{}<`]/g, ''));
  fc.assert(
    fc.property(anyObject, chatter, chatter, (value, before, after) => {
      const text = `${before}${JSON.stringify(value)}${after}`;
      const found = objectIn(text);
      if (JSON.stringify(value).includes('"__proto__"')) expect(found.ok).toBe(false);
      else expect(found).toEqual({ ok: true, answer: JSON.parse(JSON.stringify(value)) as JsonObject });
    }),
  );
});

test('any text is read or refused, and the time grows with its length alone', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void objectIn(text)));
  const pieces = ['{', '}', '"', '\\', '{"a":', '```\n', '<think>', '</think>', '[', '{}', '{x}'];
  // A reader that tried every brace anew would need minutes for one of these.
  for (const piece of pieces) objectIn(piece.repeat(Math.floor(250_000 / piece.length)));
});
