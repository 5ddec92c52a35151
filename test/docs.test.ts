/** Our documents stay true: their links lead somewhere, their decisions are in order, and the changelog knows the package's version. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';

const decisions = readdirSync('docs/decisions').toSorted();
const documents = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'docs/trustee.md',
  'models/README.md',
  ...decisions.map((name) => `docs/decisions/${name}`),
];

describe.each(documents)('%s', (file) => {
  const text = readFileSync(file, 'utf8');

  test('links to files that exist', () => {
    const links = [...text.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, to]) => to as string).filter((to) => !/^[a-z]+:/.test(to));
    expect(links.filter((to) => !existsSync(join(dirname(file), to)))).toEqual([]);
  });

  test('names files that exist', () => {
    // Files a run makes (episodes.jsonl) have no folder here and are not meant.
    const named = [...text.matchAll(/`((?:src|test|configs|docs|scripts|bench|python)\/[^`\s*]*)`/g)].map(([, path]) => path as string);
    expect(named.filter((path) => !existsSync(path))).toEqual([]);
  });
});

test('decisions are numbered one after the other, and each tells its context, its options and the decision', () => {
  expect(decisions.map((name) => name.slice(0, 4))).toEqual(decisions.map((_, index) => String(index + 1).padStart(4, '0')));
  for (const name of decisions) {
    const text = readFileSync(`docs/decisions/${name}`, 'utf8');
    expect(text).toMatch(new RegExp(`^# ${name.slice(0, 4)} · `));
    for (const part of ['**Context.**', '**Options', '**Decision.**']) expect(text, name).toContain(part);
  }
});

test('the changelog speaks of the version in package.json', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(readFileSync('CHANGELOG.md', 'utf8')).toContain(version);
});
