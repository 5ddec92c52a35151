/** The command and the environment of a server that Troupe starts: every flag the engine relies on, in one place. Pure; `--dry-run` prints what it gives. */

export interface VllmCommand {
  /** Words of config `engine.vllm.command`; `{python}` and `{model}` are filled in. */
  readonly command: readonly string[];
  readonly python: string;
  /** Directory, or name in the Hugging Face cache. */
  readonly model: string;
  readonly servedModel: string;
  readonly port: number;
  /** Tokens prompt and reply hold together. */
  readonly contextLength: number;
  /** Sequences it runs at once. */
  readonly maxSequences: number;
  readonly dtype: 'auto' | 'float32' | 'bfloat16' | 'float16';
  /** Versions of the policy that answer at once, and the rank of their adapters; absent: only the base is served. */
  readonly adapters?: { readonly versions: number; readonly rank: number };
  /** Whether it hands the accelerator to the trainer. */
  readonly sleeps?: boolean;
  /** Whether it serves on a CPU. */
  readonly cpu?: boolean;
  /** Share of the GPU it may take; absent: vLLM's own. */
  readonly gpuMemory?: number;
  /** The user's; they come last, so they win. */
  readonly args?: readonly string[];
}

/** Ranks vLLM has kernels for (vllm/config/lora.py). */
const RANKS = [1, 8, 16, 32, 64, 128, 256, 320, 512];

/** The words to execute, without a shell. */
export function vllmCommand(options: VllmCommand): string[] {
  const {
    command,
    python,
    model,
    servedModel,
    port,
    contextLength,
    maxSequences,
    dtype,
    adapters,
    sleeps = false,
    cpu = false,
    gpuMemory,
    args = [],
  } = options;
  const filled = command.map((word) => word.replace(/\{(python|model)\}/g, (_, name) => (name === 'python' ? python : model)));
  const flags: (string | number)[][] = [
    ['--served-model-name', servedModel],
    // Its control paths load any directory and ask for no key: nobody else may reach them.
    ['--host', '127.0.0.1'],
    ['--port', port],
    ['--max-model-len', contextLength],
    ['--max-num-seqs', maxSequences],
    ['--dtype', dtype],
    // Else the model's generation_config.json fills in a temperature, top-k and top-p of its own.
    ['--generation-config', 'vllm'],
    ['--logprobs-mode', 'processed_logprobs'],
    ['--scheduling-policy', 'priority'],
    ['--enable-prompt-tokens-details'],
    // A line a call, thousands a minute.
    ['--disable-uvicorn-access-log'],
    ...(adapters === undefined
      ? []
      : [
          ['--enable-lora'],
          // One more than answer: the newest is loaded while calls of the older ones go on.
          ['--max-loras', adapters.versions + 1],
          ['--max-lora-rank', RANKS.find((rank) => rank >= adapters.rank) ?? adapters.rank],
        ]),
    ...(sleeps ? [['--enable-sleep-mode']] : []),
    // After a part of a prompt it winds the request's seeded generator back, which a CPU's cannot: the whole server dies of it ("CPU Generator does not use offset", 0.32).
    ...(cpu ? [['--no-enable-chunked-prefill']] : []),
    ...(gpuMemory === undefined ? [] : [['--gpu-memory-utilization', gpuMemory]]),
  ];
  return [...filled, ...flags.flat().map(String), ...args];
}

export interface VllmEnvironment {
  /** Where compiled kernels are kept from run to run: the first request with log-probs compiles for ten seconds. */
  readonly cacheDir: string;
  /** GiB of key-value cache on a CPU; absent on a GPU. */
  readonly cpuCacheGiB?: number;
  /** The user's; they win. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What is set beside the environment the server inherits. */
export function vllmEnvironment({ cacheDir, cpuCacheGiB, env = {} }: VllmEnvironment): Record<string, string> {
  return {
    VLLM_ALLOW_RUNTIME_LORA_UPDATING: '1',
    // Sleep and wake are among its development paths; it listens on loopback only.
    VLLM_SERVER_DEV_MODE: '1',
    HF_HUB_OFFLINE: '1',
    VLLM_NO_USAGE_STATS: '1',
    DO_NOT_TRACK: '1',
    TORCHINDUCTOR_CACHE_DIR: cacheDir,
    ...(cpuCacheGiB === undefined ? {} : { VLLM_CPU_KVCACHE_SPACE: String(cpuCacheGiB) }),
    ...env,
  };
}
