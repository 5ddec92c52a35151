/** How a config's vLLM server is started: the settings turned into its command and environment. The dry run prints just these. Starts nothing. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { vllmCommand, vllmEnvironment } from '../gpu/engines/vllm/command.ts';
import { isTimesliced } from './settings.ts';

export interface ServingPlace {
  /** Interpreter with vLLM in it. */
  readonly python: string;
  /** Share of the card that the memory plan gives the server; absent on a CPU. The config's own goes before it. */
  readonly share?: number | undefined;
  /** Whether it serves on the CPU. */
  readonly cpu: boolean;
  readonly env: { readonly [name: string]: string | undefined };
}

/** Whether the server's command is a Python of ours; one in a container brings its own. */
export const runsPython = ({ engine }: Config): boolean => engine.vllm.command.some((word) => word.includes('{python}'));

/** GiB of key-value cache on a CPU: a million tokens of the tiny model. */
const cpuCacheGiB = 1;

/** The words to execute for a server at a port of this machine. */
export function serverCommand(config: Config, { python, share, cpu }: ServingPlace, port: number): string[] {
  const { engine, trainer, rollout, policy } = config;
  const { vllm } = engine;
  const gpuMemory = vllm.gpuMemory ?? share;
  return vllmCommand({
    command: vllm.command,
    python,
    model: policy.model,
    servedModel: vllm.servedModel,
    port,
    contextLength: rollout.contextLength,
    maxSequences: vllm.maxSequences,
    dtype: vllm.dtype,
    ...(trainer.adapter === 'lora' ? { adapters: { versions: rollout.staleness + 1, rank: trainer.lora.rank } } : {}),
    sleeps: isTimesliced(config),
    cpu,
    ...(gpuMemory === undefined ? {} : { gpuMemory }),
    args: vllm.args,
  });
}

/** What is set for it beside the environment it inherits. */
export function serverEnvironment({ engine }: Config, { cpu, env }: ServingPlace): Record<string, string> {
  const cache = env['XDG_CACHE_HOME'] ?? '';
  return vllmEnvironment({
    cacheDir: join(cache === '' ? join(homedir(), '.cache') : cache, 'troupe', 'kernels'),
    ...(cpu ? { cpuCacheGiB } : {}),
    env: engine.vllm.env,
  });
}
