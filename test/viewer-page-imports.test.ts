import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

const page = 'src/viewer/page';
const files = readdirSync(page, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.tsx?$/.test(file) && !file.endsWith('.d.ts'))
  .map((file) => join(page, file));

interface Import {
  readonly file: string;
  /** A path from the root, or a package. */
  readonly from: string;
}

const specifiers = /(?:^|\n)(?:import|export)\s(?:[^'";]*?\sfrom\s)?'([^']+)'|import\('([^']+)'\)/g;

const importsOf = (file: string): Import[] =>
  [...readFileSync(file, 'utf8').matchAll(specifiers)].map((match) => {
    const said = match[1] ?? match[2] ?? '';
    return { file, from: said.startsWith('.') ? normalize(join(dirname(file), said)) : said };
  });

const imports = files.flatMap(importsOf);

test('the page imports itself, what has no file or Node in it, and its own packages', () => {
  const allowed =
    /^(src\/viewer\/page\/|src\/viewer\/(contract|heat-contract|token-face|windowing)\.ts$|src\/viewer\/chart\/(?!layout)|src\/(protocol|machines)\/|src\/record\/filter(-\w+)?\.ts$|preact(\/|$)|@preact\/signals$|uplot(\/|$))/;
  expect(imports.filter(({ from }) => !allowed.test(from))).toEqual([]);
  expect(imports.length).toBeGreaterThan(files.length);
});

test('the page loads neither the codec nor Node', () => {
  expect(imports.filter(({ from }) => /codec|^node:/.test(from))).toEqual([]);
});

test('text of models never becomes markup: nothing in the page writes HTML', () => {
  const markup = /dangerouslySetInnerHTML|\.innerHTML|\.outerHTML|insertAdjacentHTML|document\.write|srcdoc|DOMParser/;
  expect(files.filter((file) => markup.test(readFileSync(file, 'utf8')))).toEqual([]);
  expect(files.length).toBeGreaterThan(20);
});
