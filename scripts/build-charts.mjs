// Lays out every chart once, so that whoever shows them needs no layouter. Runs on what tsc has built.
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const output = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist/viewer');
const file = join(output, 'charts.json');

rmSync(file, { force: true });
const { geometries } = await import('../dist/viewer/charts.js');
const all = await geometries();
const text = JSON.stringify(all);
writeFileSync(file, text);
console.error(`build-charts: ${all.length} charts, ${(text.length / 1000).toFixed(0)} kB`);
