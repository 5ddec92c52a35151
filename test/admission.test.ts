/** The admission window: how it opens, shrinks and returns, whatever an engine says of itself. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { adjust, admissionOf, admits, calm, isThrottled, turnedAway, type Admission, type Pressure } from '../src/gpu/admission.ts';

const reading = fc.record({
  waiting: fc.nat(400),
  cacheUse: fc.double({ min: 0, max: 1, noNaN: true }),
  refused: fc.boolean(),
});
const crowded: Pressure = { waiting: 0, cacheUse: 0.95, refused: false };

/** One reading a tick, all slots in use. */
function fed(admission: Admission, pressures: readonly Pressure[], from = 1): Admission {
  return pressures.reduce(
    (each, pressure, i) => adjust(each, pressure, { askedAt: from + i, now: from + i, inFlight: each.limit }),
    admission,
  );
}

it('the window stays between one and what the engine can hold, never grows by pressure and never shrinks without', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 500 }),
      fc.boolean(),
      fc.array(fc.tuple(reading, fc.nat(600)), { maxLength: 80 }),
      (concurrency, reports, readings) => {
        let admission = admissionOf(concurrency, reports);
        readings.forEach(([pressure, inFlight], i) => {
          const next = adjust(admission, pressure, { askedAt: i, now: i, inFlight });
          expect(next.limit).toBeGreaterThanOrEqual(1);
          expect(next.limit).toBeLessThanOrEqual(concurrency);
          if (pressure.refused || pressure.cacheUse > 0.9) expect(next.limit).toBeLessThanOrEqual(admission.limit);
          else if (pressure.waiting <= inFlight / 4) expect(next.limit).toBeGreaterThanOrEqual(admission.limit);
          admission = next;
        });
      },
    ),
  );
});

it('an engine that reports nothing has its whole window at once; one that reports opens in two quiet readings', () => {
  expect(admissionOf(64).limit).toBe(64);
  const ramped = admissionOf(64, true);
  expect([ramped.limit, fed(ramped, [calm]).limit, fed(ramped, [calm, calm]).limit, fed(ramped, [calm, calm, calm]).limit]).toEqual([
    16, 32, 64, 64,
  ]);
});

it('the first pressure ends the doubling: from then on the window grows by a sixteenth', () => {
  const pressed = fed(admissionOf(256, true), [calm, crowded]);
  expect(pressed.limit).toBe(96);
  expect(fed(pressed, [calm], 9).limit).toBe(112);
});

it('slots that a merged request has left behind at the engine are filled until it is answered, and no longer', () => {
  const full = admissionOf(64);
  const at = (limit: Admission, inFlight: number, running: number, now: number): Admission =>
    adjust(limit, { ...calm, running }, { askedAt: now, now, inFlight, riding: 30 });
  const wider = at(full, 64, 40, 1);
  expect(wider.limit).toBe(88);
  expect(isThrottled(wider)).toBe(false);
  expect(at(wider, 88, 64, 2).limit).toBe(88);
  expect(at(wider, 70, 64, 3).limit).toBe(70);
  expect(at(wider, 64, 64, 4).limit).toBe(64);
  // Whatever the engine says: no more than ride on others.
  expect(at(full, 64, 0, 5).limit).toBe(94);
});

it('a window that nobody fills does not grow', () => {
  const admission = admissionOf(64, true);
  expect(adjust(admission, calm, { askedAt: 1, now: 1, inFlight: 7 }).limit).toBe(16);
});

it('what waits for a moment is no pressure, what waits for two readings is', () => {
  const backlog: Pressure = { waiting: 40, cacheUse: 0.1, refused: false };
  const admission = admissionOf(64);
  expect(fed(admission, [backlog]).limit).toBe(64);
  expect(fed(admission, [backlog, calm, backlog]).limit).toBe(64);
  expect(fed(admission, [backlog, backlog]).limit).toBe(48);
});

it('shrinks once however many of the calls sent before are refused', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 500 }), fc.array(fc.nat(99), { minLength: 1, maxLength: 300 }), (concurrency, sentAt) => {
      let admission = admissionOf(concurrency);
      let inFlight = concurrency;
      for (const askedAt of sentAt) admission = adjust(admission, turnedAway, { askedAt, now: 100, inFlight: Math.max(0, --inFlight) });
      expect(admission.limit).toBe(Math.floor(0.75 * concurrency));
    }),
  );
});

it('does not shrink again for load that was admitted before it shrank', () => {
  const pressed = fed(admissionOf(64), [crowded]);
  expect(pressed.limit).toBe(48);
  expect(adjust(pressed, crowded, { askedAt: 2, now: 2, inFlight: 50 }).limit).toBe(48);
  expect(adjust(pressed, crowded, { askedAt: 3, now: 3, inFlight: 48 }).limit).toBe(36);
});

it('returns to what the engine can hold within sixteen quiet readings', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.array(reading, { maxLength: 40 }), (concurrency, readings) => {
      const worn = fed(admissionOf(concurrency, true), readings);
      const rested = fed(
        worn,
        Array.from({ length: 17 }, () => calm),
        1_000,
      );
      expect(rested.limit).toBe(concurrency);
      expect(isThrottled(rested)).toBe(false);
    }),
  );
});

it('hovers around what an engine with too little cache can hold', () => {
  fc.assert(
    fc.property(fc.integer({ min: 16, max: 400 }), (capacity) => {
      const ceiling = 512;
      let admission = admissionOf(ceiling, true);
      const limits: number[] = [];
      for (let i = 1; i < 200; i++) {
        const inFlight = admission.limit;
        admission = adjust(
          admission,
          { waiting: 0, cacheUse: Math.min(1, inFlight / capacity), refused: inFlight > capacity },
          { askedAt: i, now: i, inFlight },
        );
        if (i > 60) limits.push(admission.limit);
      }
      const step = ceiling / 16;
      expect(Math.max(...limits)).toBeLessThanOrEqual(0.9 * capacity + step);
      expect(Math.min(...limits)).toBeGreaterThanOrEqual(Math.floor(0.75 * 0.9 * capacity));
    }),
  );
});

it('one request may always go alone, and is never split', () => {
  const four = admissionOf(4);
  expect(admits(four, 0, 9)).toBe(true);
  expect(admits(four, 1, 4)).toBe(false);
  expect(admits(four, 1, 3)).toBe(true);
});
