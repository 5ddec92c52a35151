/** The loss of what a run cannot go on without: who hears of it, and that nothing is kept for it. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { lossOf } from '../src/actors/loss.ts';
import { RecordFault } from '../src/errors.ts';

const fault = new RecordFault('the disk is gone');

test('work that is done before anything is lost ends as it would have', async () => {
  const { orLost } = lossOf();
  await expect(orLost(Promise.resolve(7))).resolves.toBe(7);
  await expect(orLost(Promise.reject(new RangeError('its own')))).rejects.toThrow('its own');
});

test('the first loss ends what waits, and what comes to wait later', async () => {
  const { orLost, fail } = lossOf();
  const waiting = orLost(new Promise(() => undefined));
  fail(fault);
  fail(new RecordFault('a second one'));
  await expect(waiting).rejects.toBe(fault);
  await expect(orLost(new Promise(() => undefined))).rejects.toBe(fault);
});

test('a run of a thousand steps keeps the results of none', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const { orLost } = lossOf();
  const results: WeakRef<object>[] = [];
  for (let step = 0; step < 1_000; step++) {
    const groups = { bytes: new Uint8Array(8) };
    results.push(new WeakRef(groups));
    await orLost(Promise.resolve(groups));
  }
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  // The last may still be on the stack.
  expect(results.filter((result) => result.deref() !== undefined).length).toBeLessThan(3);
});
