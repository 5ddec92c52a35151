/**
 * The real server of the vLLM stage: one for all its files, since a start takes a minute. Found by TROUPE_VLLM_URL or started; where neither can be, the reason is
 * provided instead and the tests skip with it.
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { TestProject } from 'vitest/node';
import { systemClock } from '../../src/actors/clock.ts';
import { vllmCommand, vllmEnvironment } from '../../src/gpu/engines/vllm/command.ts';
import { launchVllm } from '../../src/gpu/engines/vllm/launcher.ts';
import { findPython } from '../../src/gpu/python.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Empty where there is no server: then `vllmAbsent` says what is missing. */
    vllmUrl: string;
    vllmAbsent: string;
  }
}

export const model = resolve('models/tiny-base');

export default async function setup({ provide }: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env['TROUPE_VLLM_URL'] ?? '';
  provide('vllmUrl', given);
  provide('vllmAbsent', '');
  if (given !== '') return undefined;
  const python = findOrSay();
  if (python instanceof Error) {
    const absent = `no vLLM: TROUPE_VLLM_URL is not set, and ${python.message}`;
    provide('vllmAbsent', absent);
    process.stderr.write(`SKIPPED: ${absent}\n`);
    return undefined;
  }
  const folder = resolve('node_modules/.cache/troupe-vllm');
  mkdirSync(folder, { recursive: true });
  const server = await launchVllm(launchOptions(python, folder));
  try {
    await server.ready();
  } catch (fault) {
    await server.close();
    throw fault;
  }
  provide('vllmUrl', server.url);
  return () => server.close();
}

function findOrSay(): string | Error {
  try {
    return findPython('auto', process.env);
  } catch (error) {
    return error as Error;
  }
}

/** A server of the tiny model on this CPU, started as a run would start it. */
function launchOptions(python: string, folder: string): Parameters<typeof launchVllm>[0] {
  return {
    command: (port) =>
      vllmCommand({
        command: ['{python}', '-m', 'vllm.entrypoints.openai.api_server', '--model', '{model}'],
        python,
        model,
        servedModel: 'base',
        port,
        contextLength: 1024,
        maxSequences: 64,
        dtype: 'float32',
        adapters: { versions: 2, rank: 16 },
        cpu: true,
        args: ['--enforce-eager'],
      }),
    env: vllmEnvironment({ cacheDir: join(folder, 'inductor'), cpuCacheGiB: 1 }),
    port: 0,
    servedModel: 'base',
    logFile: join(folder, 'server.log'),
    clock: systemClock,
    startMs: 400_000,
  };
}
