/**
 * The torch trainer: PyTorch, transformers and peft in a process of their own (python/troupe_trainer), as a Trainer. Packs batches, sets deadlines, validates answers; computes nothing.
 * Trains a LoRA adapter on a frozen base, or every weight. On one CPU thread equal inputs give equal bytes; on a GPU they do not.
 */
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { boundary, RecordFault, TrainerFault, type TroupeFault } from '../../errors.ts';
import { sampledTokens, type TokenBatch } from '../../learning/batch.ts';
import { metricsOf } from '../../learning/objective.ts';
import type { Clock } from '../clock.ts';
import type { Trainer } from '../trainer.ts';
import { foreignBatch } from './torch/pack.ts';
import { type Sidecar, startSidecar } from './torch/sidecar.ts';

/** Layers that can carry an adapter, by the names that transformers and vLLM give them. */
export interface LoraOptions {
  readonly rank: number;
  /** The update is scaled by alpha / rank. */
  readonly alpha: number;
  readonly targets: readonly string[];
}

export interface TorchTrainerOptions {
  /** Interpreter with torch, transformers, peft and msgpack: see gpu/python.ts. */
  readonly python: string;
  /** The model directory to start from; it stays the KL's reference. */
  readonly model: string;
  /** What adapter_config.json names as the base. Default: the directory's name. */
  readonly base?: string | undefined;
  readonly adapter: 'none' | LoraOptions;
  readonly device: 'auto' | 'cpu' | 'cuda';
  readonly dtype: 'auto' | 'float32' | 'bfloat16';
  readonly gradientCheckpointing: boolean;
  /** Positions of one forward-backward, padding included: bounds memory, and fixes the order of summation. */
  readonly microBatchTokens: number;
  /** CPU threads. Default 1: more spin at barriers, many times slower where another process runs. */
  readonly threads?: number | undefined;
  /** Of the adapter's initial weights; below 2³². */
  readonly seed: number;
  readonly clock: Clock;
  /** Milliseconds one verb may take. */
  readonly deadlineMs: number;
  /** Milliseconds until the model must be loaded. Default 600,000. */
  readonly startMs?: number | undefined;
  /** Where the process's standard error goes. */
  readonly logFile?: string | undefined;
  /** It ended by itself: told at once, not with the next verb. */
  onDeath?(fault: TroupeFault): void;
}

/** What the sidecar runs on. */
const Hello = z.strictObject({
  python: z.string(),
  torch: z.string(),
  transformers: z.string(),
  peft: z.string(),
  device: z.string(),
  dtype: z.enum(['float32', 'bfloat16']),
  threads: z.int().min(1),
  vocabulary: z.int().min(1),
  parameters: z.int().min(1),
  trained: z.int().min(1),
  /** On the device (GPU), or of the process (CPU), once the model is loaded. */
  memoryBytes: z.int().min(0),
});
export type TorchHello = z.infer<typeof Hello>;

/** Infinities are the extremes of no tokens at all; zod's own number refuses them. */
const figure = z.custom<number>((value) => typeof value === 'number', 'expected a number');
const Sums = z.strictObject({
  loss: figure,
  tokens: figure,
  ratio: figure,
  ratioSquared: figure,
  ratioMin: figure,
  ratioMax: figure,
  gap: figure,
  clipped: figure,
  masked: figure,
  kl: figure,
  entropy: figure,
});
const Floats = z.strictObject({ dtype: z.literal('float32'), data: z.instanceof(Uint8Array) });
const Passed = z.strictObject({ sums: Sums, logprobs: Floats, entropy: Floats });
const Stepped = z.strictObject({ gradNorm: z.number() });
const Saved = z.strictObject({ kind: z.enum(['full', 'lora']), sha256: z.string().regex(/^[0-9a-f]{64}$/) });

export interface TorchTrainer extends Trainer {
  /** Rejects with ConfigFault where the interpreter lacks a package or the model cannot be read, with TrainerFault where the sidecar could not start otherwise. */
  hello(): Promise<TorchHello>;
}

/** Starts the process; a model that cannot be read rejects the first verb. */
export function createTorchTrainer(options: TorchTrainerOptions): TorchTrainer {
  const { clock, deadlineMs, startMs = 600_000 } = options;
  let closed = false;
  const sidecar: Sidecar = startSidecar({
    name: 'the torch trainer',
    command: [options.python, '-m', 'troupe_trainer'],
    cwd: packageFolder,
    env: { ...process.env, ...environment(options.threads ?? 1) },
    clock,
    logFile: options.logFile === undefined ? undefined : resolve(options.logFile),
    remedy: '`npm run python` makes an environment that has it all and is found by itself',
    onDeath: (fault) => options.onDeath?.(fault),
  });
  const opened = sidecar.call('open', openArguments(options), startMs).then((answer) => parsed(Hello, 'open', answer));
  // Whoever calls a verb first gets the fault; until then it is nobody's.
  opened.catch(() => undefined);

  const call = async <T>(verb: string, schema: z.ZodType<T>, args: unknown): Promise<T> => {
    await opened;
    if (closed) throw new TrainerFault('the torch trainer is closed');
    return parsed(schema, verb, await sidecar.call(verb, args, deadlineMs));
  };
  const packed = (batch: TokenBatch) => boundary(TrainerFault, 'pack a batch', () => foreignBatch(batch));

  return {
    name: 'torch',
    hello: () => opened,
    forwardBackward: async (batch, objective) => {
      const answer = await call('forward_backward', Passed, { batch: await packed(batch), objective: { ...objective } });
      return {
        metrics: metricsOf(answer.sums),
        logprobs: floatsOf('log-probs', answer.logprobs.data, batch),
        entropy: floatsOf('entropies', answer.entropy.data, batch),
      };
    },
    optimStep: async ({ kind, learningRate, weightDecay, clip }) => {
      if (kind !== 'adamw') throw new TrainerFault(`the torch trainer has no ${kind}`);
      return call('optim_step', Stepped, { learningRate, weightDecay, clip });
    },
    logprobs: async (batch) => floatsOf('log-probs', (await call('logprobs', Floats, { batch: await packed(batch) })).data, batch),
    saveWeightsForSampler: async (dir, version) => {
      absent(dir);
      return { version, dir, ...(await call('save_weights', Saved, { dir: resolve(dir), version })) };
    },
    saveState: async (dir) => {
      absent(dir);
      await call('save_state', z.null(), { dir: resolve(dir) });
    },
    loadState: async (dir) => {
      if (!existsSync(join(dir, 'state.json'))) throw new RecordFault(`${dir} holds no trainer state`);
      await call('load_state', z.null(), { dir: resolve(dir) });
    },
    close: () => {
      closed = true;
      return sidecar.close();
    },
  };
}

/** Where the Python package lies, whether this code runs from `src` or from `dist`. It is also the process's folder: the user's own could hold a torch.py. */
const packageFolder = fileURLToPath(new URL('../../../python/', import.meta.url));

const environment = (threads: number): Record<string, string> => ({
  OMP_NUM_THREADS: String(threads),
  // Threads that wait must sleep: where others use the cores, spinning at barriers is many times slower.
  OMP_WAIT_POLICY: 'passive',
  GOMP_SPINCOUNT: '0',
  TOKENIZERS_PARALLELISM: 'false',
  HF_HUB_OFFLINE: '1',
  PYTORCH_ALLOC_CONF: 'expandable_segments:True',
});

const openArguments = (options: TorchTrainerOptions): Record<string, unknown> => ({
  model: resolve(options.model),
  base: options.base ?? basename(resolve(options.model)),
  adapter: options.adapter === 'none' ? null : { ...options.adapter, targets: [...options.adapter.targets] },
  device: options.device,
  dtype: options.dtype,
  gradientCheckpointing: options.gradientCheckpointing,
  microBatchTokens: options.microBatchTokens,
  threads: options.threads ?? 1,
  seed: options.seed,
});

function parsed<T>(schema: z.ZodType<T>, verb: string, answer: unknown): T {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  throw new TrainerFault(`the torch trainer answered ${verb} with something else: ${z.prettifyError(result.error)}`);
}

/** Directories are made by the verb alone; one that exists is somebody's. */
function absent(dir: string): void {
  if (existsSync(dir)) throw new RecordFault(`${dir} exists`);
}

/** One per sampled token of the batch. */
function floatsOf(what: string, bytes: Uint8Array, batch: TokenBatch): Float32Array {
  const wanted = sampledTokens(batch.samples);
  if (bytes.length !== 4 * wanted) throw new TrainerFault(`the torch trainer answered ${bytes.length / 4} ${what} for ${wanted} tokens`);
  // The bytes lie anywhere in a frame; floats must lie at a multiple of four.
  return new Float32Array(Uint8Array.from(bytes).buffer);
}
