import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import { expect, test } from 'vitest';

const rules = createRequire(import.meta.url)('../.dependency-cruiser.cjs') as { forbidden: object[]; options: object };

async function read(forbidden: object[] = rules.forbidden): Promise<ICruiseResult> {
  const result = await cruise(['src'], { ...rules.options, ruleSet: { forbidden }, validate: true } as never);
  return result.output as ICruiseResult;
}

const modules = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.ts') && !file.includes('kernels/'),
);

test('arrows only run down: every import obeys the layer table', async () => {
  const { summary } = await read();
  expect(summary.violations.map((violation) => `${violation.from} → ${violation.to}  (${violation.rule.name})`)).toEqual([]);
}, 60_000);

test('the layer rules read every module, type-only imports included', async () => {
  const { modules: seen } = await read();
  const ours = seen.filter((module) => module.source.startsWith('src/'));
  expect(ours.map((module) => module.source).sort()).toEqual(modules.map((file) => `src/${file}`).sort());
  expect(ours.length).toBeGreaterThan(60);
}, 60_000);

test('a forbidden import would be reported', async () => {
  const { summary } = await read([
    { name: 'planted', severity: 'error', from: { path: '^src/simulation/' }, to: { path: '^src/protocol/' } },
  ]);
  expect(summary.violations.length).toBeGreaterThan(0);
}, 60_000);
