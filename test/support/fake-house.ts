/** A fake vLLM server in this process and an engine over it, for tests: no process, no waiting unless asked for. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/actors/clock.ts';
import { openHouse, type House } from '../../src/gpu/engines/fake/house.ts';
import type { FakeOptions } from '../../src/gpu/engines/fake/settings.ts';
import { createVllmEngine, type VllmEngine, type VllmOptions } from '../../src/gpu/engines/vllm.ts';
import type { PolicyVersion } from '../../src/protocol/ids.ts';
import type { Weights } from '../../src/protocol/policy.ts';
import { writeAdapter } from './peft-adapter.ts';

export interface FakeHome {
  readonly house: House;
  readonly engine: VllmEngine;
  /** An adapter that the fake can load. */
  weights(version: PolicyVersion): Weights;
}

const baseWeights: Weights = { version: 0 as PolicyVersion, kind: 'full', dir: 'models/tiny-base', sha256: '' };
export const stopId = 3;

export async function fakeHome(fake: FakeOptions = {}, vllm: Partial<VllmOptions> = {}): Promise<FakeHome> {
  const house = await openHouse({ clock: systemClock, timeScale: 0, contextLength: 256, maxSequences: 64, maxAdapters: 4, ...fake });
  return { house, engine: engineOver(house.url, vllm), weights };
}

export const engineOver = (url: string, vllm: Partial<VllmOptions> = {}): VllmEngine =>
  createVllmEngine({
    url,
    clock: systemClock,
    weights: baseWeights,
    adapterPrefix: 'test',
    contextLength: 256,
    concurrency: 64,
    ...vllm,
  });

const scratch = mkdtempSync(join(tmpdir(), 'troupe-fake-'));
export const weights = (version: PolicyVersion): Weights =>
  writeAdapter({ model: 'models/tiny-base', dir: join(scratch, `v${version}`), version, seed: version, scale: 0.1 });
