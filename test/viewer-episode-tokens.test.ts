import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Turn } from '../src/protocol/turn.ts';
import { appendPrompt, appendSampled, type TokenTrace } from '../src/protocol/trace.ts';
import type { TokenStrip } from '../src/viewer/contract.ts';
import { heldTokens, laidOutTokens, rowOfToken, tokenRows } from '../src/viewer/page/episode/token-rows.ts';
import { isKnown, shaderOf, shadings, type Token, tokenIn } from '../src/viewer/page/episode/token-shade.ts';
import { stretchesOf, stretchOfToken, stretchOfTurn } from '../src/viewer/page/episode/token-turns.ts';
import { stripOf, stripOutline } from '../src/viewer/strips.ts';
import { tokenFace, widthsOf } from '../src/viewer/token-face.ts';

const strip = (sampled: readonly boolean[], logprobs: readonly (number | null)[] = sampled.map((is) => (is ? -1 : null))): TokenStrip => ({
  ids: sampled.map((_, i) => i),
  text: sampled.map((_, i) => ` t${i}`),
  logprobs,
  sampled,
  version: sampled.map(() => 3),
});

describe('rows of tokens', () => {
  const texts = fc.array(fc.string({ maxLength: 12 }), { maxLength: 300 });

  test('hold every token once, in order, within the columns where one token does not exceed them', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 20, max: 120 }), (text, columns) => {
        const rows = tokenRows(heldTokens(text), columns);
        expect(rows.flatMap(({ from, until }) => text.slice(from, until))).toEqual(text);
        for (const { from, until } of rows) {
          const width = text.slice(from, until).reduce((sum, token) => sum + tokenFace(token).length + 1, 0);
          expect(width <= columns || until - from === 1).toBe(true);
        }
        for (let token = 0; token < text.length; token++) {
          const row = rows[rowOfToken(rows, token)];
          expect(row !== undefined && row.from <= token && token < row.until).toBe(true);
        }
      }),
    );
  });

  test('end with a line, and before a token that begins one', () => {
    expect(tokenRows(heldTokens(['a', 'b\n', 'c', 'd']), 80, (i) => i === 3)).toEqual([
      { from: 0, until: 2 },
      { from: 2, until: 3 },
      { from: 3, until: 4 },
    ]);
  });

  test('a hundred thousand tokens are set at once', () => {
    const text = Array.from({ length: 100_000 }, (_, i) => ` word${i % 97}`);
    const begin = performance.now();
    expect(tokenRows(laidOutTokens(widthsOf(text)), 120).at(-1)?.until).toBe(100_000);
    expect(performance.now() - begin).toBeLessThan(2000);
  });

  test('are the same from widths alone as from the texts', () => {
    const ended = fc.array(fc.tuple(fc.string({ maxLength: 60 }), fc.constantFrom('', '\n')).map(([text, end]) => text + end));
    fc.assert(
      fc.property(ended, fc.integer({ min: 20, max: 120 }), (text, columns) => {
        expect(tokenRows(laidOutTokens(widthsOf(text)), columns)).toEqual(tokenRows(heldTokens(text), columns));
      }),
    );
  });

  test('what cannot be seen has a sign, and nothing turns the line around', () => {
    expect(tokenFace(' a\n')).toBe('·a⏎');
    expect(tokenFace('')).toBe('∅');
    expect(tokenFace('\u202eevil\u0000')).toBe('▯evil▯');
    expect(tokenFace('x'.repeat(5000)).length).toBeLessThan(50);
  });
});

describe('shades of tokens', () => {
  const sampled = [false, true, true, true, false];
  const tones = (shading: Parameters<typeof shaderOf>[0], of: TokenStrip, advantage: number | null): string[] =>
    of.ids.map((_, i) => shaderOf(shading, { versions: [3] }, advantage).shade(tokenIn(of, i) as Token).tone);

  test('go by how likely a token was', () => {
    expect(tones('logprob', strip(sampled, [null, -0.01, -1, -9, null]), null)).toEqual(['read', 'heat-0', 'heat-2', 'heat-4', 'read']);
  });

  test('tell what the loss sees from what it does not', () => {
    expect(tones('mask', strip(sampled), null)).toEqual(['read', 'trained', 'trained', 'trained', 'read']);
  });

  test('tell in which direction the advantage pushes', () => {
    expect(tones('advantage', strip(sampled), -0.5)[1]).toBe('down');
    expect(tones('advantage', strip(sampled), 0.5)[1]).toBe('up');
    expect(tones('advantage', strip(sampled), 0)[1]).toBe('heat-0');
  });

  test('show the gap to the trainer and the entropy where the record has them, and only there', () => {
    const bare = strip(sampled);
    const rich: TokenStrip = { ...bare, trainer: [null, -1, -2, -0.5, null], entropy: [null, 0.05, 3, null, null] };
    expect(shadings.filter(({ key }) => isKnown(key, { knows: [] }, null)).map(({ key }) => key)).toEqual(['logprob', 'mask', 'version']);
    expect(shadings.every(({ key }) => isKnown(key, { knows: ['entropy', 'trainer'] }, 1))).toBe(true);
    expect(tones('gap', rich, null)).toEqual(['read', 'heat-0', 'heat-4', 'cold-2', 'read']);
    expect(tones('entropy', rich, null)).toEqual(['read', 'heat-0', 'heat-4', 'read', 'read']);
  });

  test('each step of a scale has a sign or words of its own beside its colour', () => {
    for (const { key } of shadings) {
      const { legend } = shaderOf(key, { versions: [3] }, 0.5);
      expect(new Set(legend.map(({ words }) => words)).size).toBe(legend.length);
      expect(new Set(legend.filter(({ tone }) => tone !== 'read').map(({ sign }) => sign)).size).toBe(
        legend.filter(({ tone }) => tone !== 'read').length,
      );
    }
  });
});

describe('tokens and turns', () => {
  const agent: Turn = { role: 'agent', thought: '', text: 'yes', calls: [] };
  const user: Turn = { role: 'user', text: 'and?' };
  const turns = [user, agent, user, agent, user, agent];
  const strips = [
    {
      stretches: [
        [1, 3],
        [4, 5],
      ],
    },
    { stretches: [[2, 3]] },
  ] as const;

  test('what was sampled in one go is one turn of the agent, over all traces', () => {
    expect(stretchesOf(strips, turns)).toEqual([
      { turn: 1, strip: 0, from: 1, until: 3 },
      { turn: 3, strip: 0, from: 4, until: 5 },
      { turn: 5, strip: 1, from: 2, until: 3 },
    ]);
  });

  test('a turn leads to its tokens, and a token to the turn it was sampled for or read before', () => {
    const stretches = stretchesOf(strips, turns);
    expect(stretchOfTurn(stretches, 2)?.from).toBe(4);
    expect(stretchOfTurn(stretches, 6)?.strip).toBe(1);
    expect(stretchOfToken(stretches, 0, 3)?.turn).toBe(3);
    expect(stretchOfToken(stretches, 1, 0)?.turn).toBe(5);
    expect(stretchOfToken(stretches, 1, 3)).toBeNull();
    expect(stretchOfTurn([], 0)).toBeNull();
  });

  test('tokens that were sampled and never said belong past the last turn', () => {
    expect(stretchesOf(strips, turns.slice(0, 4)).at(-1)?.turn).toBe(4);
  });
});

describe('windows of a strip', () => {
  // As a tokenizer that has its characters in pieces: three bytes of one are a token each.
  const bytes = new TextEncoder().encode('a€b€€ c\n€');
  const decoded = (ids: readonly number[]): string[] => {
    const texts: string[] = [];
    for (let at = 0; at < ids.length; at++) {
      const length = ids[at] === 0xe2 && at + 3 <= ids.length ? 3 : 1;
      const text = new TextDecoder().decode(Uint8Array.from(ids.slice(at, at + length)));
      texts.push(...Array.from({ length: length - 1 }, () => ''), text);
      at += length - 1;
    }
    return texts;
  };
  const trace = (rounds: number): TokenTrace => {
    let all: TokenTrace = new Int32Array(0);
    for (let round = 0; round < rounds; round++) {
      all = appendPrompt(all, Int32Array.from(bytes), round);
      all = appendSampled(
        all,
        Int32Array.from(bytes),
        Float32Array.from(bytes, (byte) => -byte / 256),
        true,
        round,
      );
    }
    return all;
  };

  test('put together are the strip, whatever their size', () => {
    const all = stripOf(trace(8), decoded);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), (size) => {
        const windows = Array.from({ length: Math.ceil(all.ids.length / size) }, (_, i) =>
          stripOf(trace(8), decoded, { from: i * size, count: size }),
        );
        for (const column of ['ids', 'text', 'logprobs', 'sampled', 'version'] as const)
          expect(windows.flatMap((window): readonly unknown[] => window[column])).toEqual(all[column]);
      }),
      { numRuns: 30 },
    );
    expect(stripOf(trace(1), decoded, { from: 1e9, count: 5 }).ids).toEqual([]);
  });

  test('need nothing but the outline to be set in rows and found by turn', async () => {
    const all = stripOf(trace(3), decoded);
    const outline = await stripOutline(trace(3), decoded);
    const { length } = bytes;
    expect(outline).toEqual({
      tokens: 6 * length,
      stretches: [1, 3, 5].map((nth) => [nth * length, (nth + 1) * length]),
      widths: widthsOf(all.text),
      versions: [0, 1, 2],
      knows: [],
    });
  });
});
