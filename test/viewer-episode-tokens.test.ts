import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Turn } from '../src/protocol/turn.ts';
import type { TokenStrip } from '../src/viewer/contract.ts';
import { rowOfToken, tokenFace, tokenRows } from '../src/viewer/page/episode/token-rows.ts';
import { isKnown, shaderOf, shadings } from '../src/viewer/page/episode/token-shade.ts';
import { stretchesOf, stretchOfTurn, turnOfToken } from '../src/viewer/page/episode/token-turns.ts';

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
        const rows = tokenRows(text, columns);
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
    expect(tokenRows(['a', 'b\n', 'c', 'd'], 80, (i) => i === 3)).toEqual([
      { from: 0, until: 2 },
      { from: 2, until: 3 },
      { from: 3, until: 4 },
    ]);
  });

  test('a hundred thousand tokens are set at once', () => {
    const text = Array.from({ length: 100_000 }, (_, i) => ` word${i % 97}`);
    const begin = performance.now();
    expect(tokenRows(text, 120).at(-1)?.until).toBe(100_000);
    expect(performance.now() - begin).toBeLessThan(2000);
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
  const tones = (...[shading, of, advantage]: Parameters<typeof shaderOf>): string[] =>
    of.ids.map((_, i) => shaderOf(shading, of, advantage).shade(i).tone);

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
    expect(shadings.filter(({ key }) => isKnown(key, bare, null)).map(({ key }) => key)).toEqual(['logprob', 'mask', 'version']);
    expect(shadings.every(({ key }) => isKnown(key, rich, 1))).toBe(true);
    expect(tones('gap', rich, null)).toEqual(['read', 'heat-0', 'heat-4', 'cold-2', 'read']);
    expect(tones('entropy', rich, null)).toEqual(['read', 'heat-0', 'heat-4', 'read', 'read']);
  });

  test('each step of a scale has a sign or words of its own beside its colour', () => {
    const rich: TokenStrip = { ...strip(sampled), trainer: [], entropy: [] };
    for (const { key } of shadings) {
      const { legend } = shaderOf(key, rich, 0.5);
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
  const strips = [strip([false, true, true, false, true]), strip([false, false, true])];

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
    expect(turnOfToken(stretches, 0, 3)).toBe(3);
    expect(turnOfToken(stretches, 1, 0)).toBe(5);
    expect(stretchOfTurn([], 0)).toBeNull();
  });

  test('tokens that were sampled and never said belong past the last turn', () => {
    expect(stretchesOf(strips, turns.slice(0, 4)).at(-1)?.turn).toBe(4);
  });
});
