/** A kill storm in the small; the full one is test/stages/chaos/kill-storm.test.ts. */
import { expect, it } from 'vitest';
import { weather } from './support/storm.ts';

it('under a storm of killed workers every group is sealed once, with the result of a calm run, and no reply is paid twice', async () => {
  const { calm, stormy } = await weather({ groups: 40, everyMs: 400, most: 4, latencyMs: 80 });
  expect(stormy.deaths).toBeGreaterThanOrEqual(2);
  expect(stormy.hashes).toEqual(calm.hashes);
});
