/** docs/trustee.md compares this program with the paper. Here each row is looked up: its files, its tests by title, its deviations by number, its numbers in the config. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { titlesOf } from './support/titles.ts';

const text = readFileSync('docs/trustee.md', 'utf8');
const section = (title: string): string => {
  const [, body = ''] = text.split(`\n## ${title}\n`);
  return body.split('\n## ')[0] as string;
};
const quoted = (part: string): string[] => [...part.matchAll(/`([^`]+)`/g)].map(([, name]) => name as string);
const rows = section('Element by element')
  .split('\n')
  .filter((line) => /^\| (?!the paper)/.test(line))
  .map((line) => {
    const [element = '', here = '', proofs = '', deviation = ''] = line
      .slice(1, -1)
      .split(' | ')
      .map((cell) => cell.trim());
    return { element, here, proofs, deviation };
  });
const deviations = [...section('Deviations').matchAll(/^(\d+)\. \*\*/gm)].map(([, number]) => Number(number));

/** `[file, title]` of every test that the page names, tables and text alike: a title belongs to the file named last before it in its line. */
const named = text.split('\n').flatMap((line) => {
  let file = '';
  return [...line.matchAll(/`(test\/[\w./-]+\.ts)`:|`([^`]+)`(?=[;,. |]|$)/g)].flatMap(([, path, title]) => {
    if (path !== undefined) file = path;
    return title !== undefined && file !== '' ? [{ file, title }] : [];
  });
});

test('there are rows, deviations and tests to look up', () => {
  expect(rows.length).toBeGreaterThanOrEqual(16);
  expect(deviations.length).toBeGreaterThanOrEqual(12);
  expect(named.length).toBeGreaterThanOrEqual(16);
});

describe('each element of the paper', () => {
  test.each(rows)('$element: has a place and a test', ({ here, proofs }) => {
    expect(quoted(here).length).toBeGreaterThan(0);
    expect(quoted(proofs).length).toBeGreaterThan(1);
  });

  test.each(named)('$file: $title', ({ file, title }) => {
    expect(existsSync(file)).toBe(true);
    expect([...titlesOf(readFileSync(file, 'utf8'))]).toContain(title);
  });
});

test('deviations are numbered one after the other, and each is named by a row or a section', () => {
  expect(deviations).toEqual(deviations.map((_, index) => index + 1));
  const cited = rows.flatMap(({ deviation }) => [...deviation.matchAll(/\d+/g)].map(Number));
  expect(deviations.filter((number) => !cited.includes(number))).toEqual([]);
  expect(cited.filter((number) => !deviations.includes(number))).toEqual([]);
});

test('every key of the config that the page names is one', () => {
  const source = readFileSync('src/config.ts', 'utf8');
  const keys = quoted(text)
    .flatMap((name) => /^(?:simulation|curriculum|rollout|world|eval|engine|trainer|roles)\.([\w.{},]+)$/.exec(name)?.[1] ?? [])
    .flatMap((path) => path.replaceAll(/[{}]/g, '').split(/[.,]/));
  expect(keys.length).toBeGreaterThan(5);
  expect(keys.filter((key) => !new RegExp(`\\b${key}: `).test(source) && !new RegExp(`\\b${key}:$`, 'm').test(source))).toEqual([]);
});
