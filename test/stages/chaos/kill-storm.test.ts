/** The kill storm at full size: 2,000 episodes, a worker killed every 0.7 s. */
import { expect, it } from 'vitest';
import { weather } from '../../support/storm.ts';

it('finishes 2,000 episodes within three times the undisturbed time while a worker is killed every 0.7 s, with the same groups', async () => {
  const { calm, stormy } = await weather({ groups: 250, everyMs: 700, most: Infinity, latencyMs: 150 });
  console.log(`calm ${calm.seconds.toFixed(1)} s, stormy ${stormy.seconds.toFixed(1)} s, ${stormy.deaths} workers killed`);
  expect(stormy.deaths).toBeGreaterThanOrEqual(5);
  expect(stormy.hashes).toEqual(calm.hashes);
  expect(stormy.seconds).toBeLessThan(3 * calm.seconds);
});
