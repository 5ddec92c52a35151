/** Which scrolling says what is read: a person's, not the page's own; and which line of a box that is. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Hand, readingLine } from '../src/viewer/page/episode/hand.ts';

describe('scrolling', () => {
  test('is a person’s after a wheel, a key or a finger, and for as long as it rolls on', () => {
    const hand = new Hand();
    hand.touched(0);
    expect([100, 500, 700, 900].map((now, i) => hand.scrolled(10 * (i + 1), now))).toEqual([true, true, true, true]);
    expect(hand.scrolled(50, 1300)).toBe(false);
  });

  test('is not a person’s where nobody touched anything', () => {
    expect(new Hand().scrolled(100, 5)).toBe(false);
  });

  test('is the page’s own where the page has put the box, touched or not', () => {
    const hand = new Hand();
    hand.touched(0);
    hand.placed(480);
    expect(hand.scrolled(480.4, 10)).toBe(false);
    expect(hand.scrolled(500, 20)).toBe(true);
    // A person who comes back to that place has come by themselves.
    expect(hand.scrolled(480, 30)).toBe(true);
  });

  test('goes on while a scrollbar is held still', () => {
    const hand = new Hand();
    hand.touched(0, true);
    expect(hand.scrolled(100, 5000)).toBe(true);
  });
});

describe('the line that is read', () => {
  test('begins at the top, ends at the bottom, and never goes back', () => {
    const box = fc.tuple(
      fc.integer({ min: 1, max: 2000 }),
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true })),
    );
    fc.assert(
      fc.property(box, ([height, beyond, shares]) => {
        const total = height + beyond;
        expect(readingLine(0, height, total)).toBe(0);
        expect(readingLine(beyond, height, total)).toBeCloseTo(total, 6);
        const lines = shares.sort((a, b) => a - b).map((share) => readingLine(share * beyond, height, total));
        expect(lines).toEqual(lines.toSorted((a, b) => a - b));
      }),
    );
  });

  test('is the top of what needs no scrolling', () => {
    expect(readingLine(0, 800, 300)).toBe(0);
  });
});
