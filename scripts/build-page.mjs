// Bundles the viewer's page: one script, one style sheet, one document, no CDN. Says how large they are, and fails above the budget.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

/** Of all that a browser loads, compressed. */
const budget = 150_000;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, 'src/viewer/page');
const output = join(root, 'dist/viewer/page');

const { build } = await import('esbuild').catch((cause) => {
  console.error('build-page: esbuild is not installed; run `npm install` with development dependencies.');
  console.error(String(cause));
  process.exit(1);
});

const watch = process.argv.includes('--debug');
const { outputFiles } = await build({
  entryPoints: { page: join(source, 'main.tsx') },
  outdir: join(output, 'assets'),
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: !watch,
  sourcemap: watch ? 'inline' : false,
  legalComments: 'eof',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  // TypeScript's paths and strictness are tsc's business; the page's own settings only confuse the bundler.
  tsconfigRaw: {},
  write: false,
  logLevel: 'warning',
});

rmSync(output, { recursive: true, force: true });
mkdirSync(join(output, 'assets'), { recursive: true });
for (const file of outputFiles) writeFileSync(file.path, file.contents);
cpSync(join(source, 'index.html'), join(output, 'index.html'));
cpSync(join(source, 'icon.svg'), join(output, 'assets/icon.svg'));

const loaded = ['index.html', 'assets/page.js', 'assets/page.css', 'assets/icon.svg'];
const sizes = loaded.map((file) => gzipSync(readFileSync(join(output, file)), { level: 9 }).length);
const total = sizes.reduce((sum, size) => sum + size, 0);
const listed = loaded.map((file, i) => `${file} ${(sizes[i] / 1000).toFixed(1)}`).join(', ');
console.error(`build-page: ${(total / 1000).toFixed(1)} kB gzipped (${listed})`);
if (total > budget && !watch) {
  console.error(`build-page: above the budget of ${budget / 1000} kB`);
  process.exit(1);
}
