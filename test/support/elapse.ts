/** Lets simulated time pass in small steps, with every promise settled between two of them. */
import type { SimulatedClock } from '../../src/actors/clock.ts';

export async function settled(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}

export async function elapse(clock: SimulatedClock, ms: number, step = Math.max(1, ms / 100)): Promise<void> {
  await settled();
  for (let passed = 0; passed < ms; passed += step) {
    clock.advance(Math.min(step, ms - passed));
    await settled();
  }
}
