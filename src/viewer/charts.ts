/** The geometry of every chart: as it was laid out when the program was built, or laid out now where that is missing or of other charts. Draws nothing. */
import { readFile } from 'node:fs/promises';
import { definitionOf } from '../machines/definition.ts';
import { charts } from '../machines/replay.ts';
import type { ChartGeometry } from './chart/geometry.ts';

/** Beside the compiled file; scripts/build-charts.mjs writes it. */
const built = new URL('charts.json', import.meta.url);

/** In the order of `charts`. */
export async function geometries(): Promise<readonly ChartGeometry[]> {
  const known = new Map((await readBuilt()).map((geometry) => [geometry.hash, geometry]));
  const all: ChartGeometry[] = [];
  for (const chart of Object.values(charts)) {
    const definition = definitionOf(chart);
    // The layouter is large, and where the program was built nobody needs it.
    all.push(known.get(definition.hash) ?? (await (await import('./chart/layout.ts')).layOut(definition)));
  }
  return all;
}

async function readBuilt(): Promise<readonly ChartGeometry[]> {
  const text = await readFile(built, 'utf8').catch(() => '[]');
  return JSON.parse(text) as ChartGeometry[];
}
