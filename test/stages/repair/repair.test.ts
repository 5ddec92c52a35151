/** Simulators that are malformed, contradict themselves and fall silent: repaired and masked, they change no outcome; neither repaired nor masked, they would. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';

interface Result {
  readonly ok: boolean;
  readonly figures: readonly { readonly name: string; readonly value: number }[];
  readonly tables: readonly { readonly rows: readonly (readonly (string | number)[])[] }[];
}

let result: Result;
beforeAll(async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['bench/repair.mjs', '--quick'], { maxBuffer: 1e7 });
  result = JSON.parse(stdout.trim().split('\n').at(-1) as string) as Result;
});
const figureOf = (name: RegExp): number => result.figures.find((figure) => name.test(figure.name))?.value ?? NaN;

test('every repaired episode ends as in the clean run', () => {
  expect(figureOf(/outcome of the clean run/)).toBe(1);
});

test('over all scored episodes the mean reward is that of the clean run, and fewer than one episode in twenty is lost', () => {
  expect(figureOf(/repaired and masked/)).toBeLessThan(0.1);
  expect(figureOf(/lost of all, repaired/)).toBeLessThan(0.05);
});

test('without repair and masking the mean is off, and the bench says so', () => {
  expect(figureOf(/lost counted as −1/)).toBeGreaterThan(0.1);
  expect(figureOf(/lost of all, not repaired/)).toBeGreaterThan(0.1);
  expect(result.ok).toBe(true);
});

test('replies were refused for every reason there was', () => {
  const [, outcomes] = result.tables;
  const repaired = outcomes?.rows.find(([name]) => name === 'repaired')?.join(' ') ?? '';
  for (const defect of ['malformed', 'silent', 'inconsistent']) expect(repaired).toContain(defect);
});
