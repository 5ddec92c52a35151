// Lays out every chart once, so that whoever shows them needs no layouter. Runs on what tsc has built.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { definitionOf } from '../dist/machines/definition.js';
import { charts } from '../dist/machines/replay.js';
import { layOut } from '../dist/viewer/chart/layout.js';

const output = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist/viewer');

const all = [];
for (const chart of Object.values(charts)) all.push(await layOut(definitionOf(chart)));
const text = JSON.stringify(all);
mkdirSync(output, { recursive: true });
writeFileSync(join(output, 'charts.json'), text);
console.error(`build-charts: ${all.length} charts, ${(text.length / 1000).toFixed(0)} kB`);
