/** Memory stays bounded when producers are faster than the engine: what waits is what was admitted, and nothing is dropped. */
import { afterEach, expect, it } from 'vitest';
import { unpack } from '../src/protocol/codec.ts';
import { job, theatre, type Theatre } from './support/jobs.ts';

let house: Theatre;
afterEach(() => house.close());

it('keeps no more calls open than the admission window holds, and answers every one', async () => {
  const window = 3;
  house = theatre({ pool: { window }, engine: { latencyMs: 2, concurrency: 4 } });
  let most = 0;
  const watching = setInterval(() => {
    const { waiting, inFlight } = house.broker.status();
    most = Math.max(most, waiting + inFlight);
  }, 1);
  const jobs = Array.from({ length: 60 }, (_, index) => job(index, 'play 4', { members: 6 }));
  const sealed = await house.pool.roll(jobs, { signal: new AbortController().signal, deadlineMs: 100_000 });
  clearInterval(watching);
  expect(sealed.every(({ envelope }) => envelope.status === 'sealed')).toBe(true);
  expect(most).toBeGreaterThan(4);
  expect(most).toBeLessThanOrEqual(2 * window * 6);
  expect(house.broker.status().answered).toBe(60 * 6 * 4);
});

it('forgets the replies of sealed groups', async () => {
  house = theatre();
  const jobs = Array.from({ length: 8 }, (_, index) => job(index));
  await house.pool.roll(jobs, { signal: new AbortController().signal, deadlineMs: 100_000 });
  const first = house.frames.find((frame) => frame.kind === 'call.reply');
  expect(unpack((first as { bytes: Uint8Array }).bytes)).toBeDefined();
  const asked = house.engine.asked;
  await house.pool.roll([job(0)], { signal: new AbortController().signal, deadlineMs: 100_000 });
  expect(house.engine.asked).toBeGreaterThan(asked);
});
