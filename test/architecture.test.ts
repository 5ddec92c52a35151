/** ARCHITECTURE.md promises things about the code. Here each promise is looked up: the tests it names, the messages and frames it lists, the layers it draws. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { titlesOf } from './support/titles.ts';

const text = readFileSync('ARCHITECTURE.md', 'utf8');
const between = (start: string, end: string): string => text.slice(text.indexOf(start), text.indexOf(end));
const quoted = (part: string): string[] => [...part.matchAll(/`([^`]+)`/g)].map(([, name]) => name as string);
const rowsOf = (part: string): string[][] =>
  part
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\|[-|]+\|$/.test(line))
    .slice(1)
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );

interface Invariant {
  readonly number: number;
  readonly claim: string;
  /** `[test file, title]` */
  readonly proofs: readonly (readonly [string, string])[];
}

const invariants: Invariant[] = text
  .slice(text.indexOf('## Invariants'))
  .split('\n')
  .flatMap((line) => {
    const found = /^(\d+)\. (.*)$/.exec(line);
    if (found === null) return [];
    const [claim = '', ...sources] = (found[2] as string).split(' → ');
    const proofs = sources.flatMap((source) => {
      const [file = '', ...titles] = quoted(source);
      return titles.map((title) => [file, title] as const);
    });
    return [{ number: Number(found[1]), claim, proofs }];
  });

describe('the invariants', () => {
  test('are numbered one after the other, and each names a test', () => {
    expect(invariants.length).toBeGreaterThanOrEqual(20);
    expect(invariants.map(({ number }) => number)).toEqual(invariants.map((_, index) => index + 1));
    expect(invariants.filter(({ proofs }) => proofs.length === 0)).toEqual([]);
  });

  test.each(invariants)('$number: $claim is held by tests that exist', ({ proofs }) => {
    const missing = proofs.filter(([file, title]) => !existsSync(file) || !titlesOf(readFileSync(file, 'utf8')).has(title));
    expect(missing).toEqual([]);
  });

  test('hold every rule of learning', () => {
    const titles = [...titlesOf(readFileSync('test/semantics.test.ts', 'utf8'))];
    const rules = [...new Set(titles.flatMap((title) => /^L\d+/.exec(title) ?? []))];
    expect(rules).toHaveLength(12);
    expect(invariants.flatMap(({ claim }) => /\*\*(L\d+) /.exec(claim)?.[1] ?? [])).toEqual(rules);
  });
});

test('a title is found in its plain and in its tabular form, and what is no title is not', () => {
  const source = "test('a', () => {});\nit.each([\n  [1, 'row'],\n])('b %i', () => {});\n  describe(\"it's c\", () => {});";
  expect([...titlesOf(source)]).toEqual(['a', 'b %i', "it's c"]);
});

describe('the messages', () => {
  test('are those of protocol/messages.ts and actors/port.ts, all of them and no other', () => {
    const types = ['src/protocol/messages.ts', 'src/actors/port.ts'].flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/type: '([a-z]+\.[a-zA-Z]+)'/g)].map(([, type]) => type as string),
    );
    const listed = rowsOf(between('## Messages', 'The journal holds frames')).flatMap(([, messages = '']) => quoted(messages));
    expect([...new Set(listed)].toSorted()).toEqual([...new Set(types)].toSorted());
  });

  test('of the journal are the frames of protocol/frame.ts', () => {
    const kinds = [...readFileSync('src/protocol/frame.ts', 'utf8').matchAll(/kind: z\.literal\('([^']+)'\)/g)].map(([, kind]) => kind);
    const [, ...listed] = quoted(between('The journal holds frames', '## Layers'));
    expect(listed).toEqual(kinds);
  });
});

test('the layers are those that the import rules enforce', () => {
  const { layers } = createRequire(import.meta.url)('../.dependency-cruiser.cjs') as { layers: Record<string, string[]> };
  const plain = (name: string): string => name.replace(/\/\(\?!.*\)$|\/$|\\\.ts\$$/, '');
  const enforced = Object.fromEntries(Object.entries(layers).map(([from, allowed]) => [plain(from), allowed.map(plain).toSorted()]));
  const drawn = rowsOf(between('## Layers', '## Invariants'))
    .filter(([, , imports]) => imports !== 'anything')
    .flatMap(([layer = '', , imports = '']) =>
      quoted(layer).map((name) => [name, imports === '–' ? [] : imports.split(', ').toSorted()] as const),
    );
  expect(Object.fromEntries(drawn)).toEqual(enforced);
});

test('each layer imports the packages that the table gives it, and no other', () => {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Record<'dependencies' | 'devDependencies', Record<string, string>>;
  // What the page is bundled from is needed where it is built only.
  const dependencies = { ...manifest.dependencies, ...manifest.devDependencies };
  for (const [layers = '', , , packages = ''] of rowsOf(between('## Layers', '## Invariants'))) {
    const imported = quoted(layers)
      .flatMap(sourcesOf)
      .flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/from '([^.'][^']*)'/g)].map(([, name]) => name as string))
      .filter((name) => !name.startsWith('node:'))
      .map((name) => Object.keys(dependencies).find((each) => name === each || name.startsWith(`${each}/`)) ?? name);
    const given = Object.keys(dependencies).filter((name) => new RegExp(`(?<![\\w/@-])${name}(?![\\w/-])`).test(packages));
    expect({ layers, packages: [...new Set(imported)].toSorted() }).toEqual({ layers, packages: given.toSorted() });
  }
});

/** The files of a layer, which is a folder or one file; none where it is not built yet. */
function sourcesOf(layer: string): string[] {
  if (existsSync(`src/${layer}.ts`)) return [`src/${layer}.ts`];
  if (!existsSync(`src/${layer}`)) return [];
  const files = readdirSync(`src/${layer}`, { recursive: true, encoding: 'utf8' });
  return files.filter((file) => /\.tsx?$/.test(file) && !file.includes('kernels/')).map((file) => `src/${layer}/${file}`);
}
