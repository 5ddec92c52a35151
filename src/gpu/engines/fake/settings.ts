/** What a fake server is told at its start: the shape of the server it stands for, its costs, and its flags. Knows no request. */
import { parseArgs } from 'node:util';
import { type BrainDials, rightBrain } from './brain.ts';

/** Milliseconds of one engine step: `base + prefill·P + decode·D + context·KV`, for P prefilled tokens, D decoding sequences and KV tokens they read. */
export interface StepCost {
  readonly base: number;
  readonly prefill: number;
  readonly decode: number;
  readonly context: number;
  /** Factor on a step that any adapter takes part in. */
  readonly adapter: number;
}

/** A log-normal distribution by its mean and the σ of its logarithm. */
export interface Spread {
  readonly mean: number;
  readonly sigma: number;
}

export interface FakeSettings {
  readonly model: string;
  readonly version: string;
  /** Ids said lie in 8..vocabulary − 1. */
  readonly vocabulary: number;
  readonly eos: number;
  readonly contextLength: number;
  readonly maxSequences: number;
  /** Tokens one step may compute. */
  readonly stepTokens: number;
  /** Key-value blocks of 16 tokens. */
  readonly blocks: number;
  readonly maxAdapters: number;
  readonly maxRank: number;
  /** Requests held, running ones included, beyond which it answers 503; 0 = no bound. */
  readonly maxQueued: number;
  /** Adapter directories are looked into, as the real server does; else any path will do. */
  readonly checkAdapters: boolean;
  readonly usageDetails: boolean;
  readonly cost: StepCost;
  /** Milliseconds the steps stand still while an adapter is loaded. */
  readonly loadMs: number;
  readonly sleepMs: number;
  readonly wakeMs: number;
  /** Wall milliseconds a simulated one takes; 0 = nothing is waited for. */
  readonly timeScale: number;
  /** Absent: the step model decides how long a call takes. Present: each takes a drawn time, with no bound on how many run. */
  readonly latency?: Spread;
  /** Absent: each token ends the reply with `stopChance`. Present: lengths are drawn from it. */
  readonly length?: Spread;
  readonly stopChance: number;
  readonly seed: number;
  readonly hugeBytes: number;
  readonly keepAliveMs: number;
  /** What goes wrong with the simulated roles it plays. */
  readonly brain: BrainDials;
}

/** Costs: Qwen3-8B in bfloat16 on one H100, from bandwidth and FLOP arithmetic (147,456 bytes of key-value state a token at 3.0 TB/s). */
const defaultSettings: FakeSettings = {
  model: 'base',
  version: '0.32.0',
  vocabulary: 448,
  eos: 3,
  contextLength: 1024,
  maxSequences: 256,
  stepTokens: 8192,
  blocks: 16_384,
  maxAdapters: 3,
  maxRank: 64,
  maxQueued: 0,
  checkAdapters: true,
  usageDetails: true,
  cost: { base: 6.5, prefill: 0.05, decode: 0.012, context: 4.9e-5, adapter: 1.1 },
  loadMs: 200,
  sleepMs: 500,
  wakeMs: 700,
  timeScale: 1,
  stopChance: 0.05,
  seed: 0,
  hugeBytes: 200 * 1024 * 1024,
  keepAliveMs: 5000,
  brain: rightBrain,
};

export type FakeOptions = Partial<Omit<FakeSettings, 'cost' | 'brain'>> & {
  readonly cost?: Partial<StepCost>;
  readonly brain?: Partial<BrainDials>;
};

/** Throws RangeError where the server could never answer. */
export function settingsOf(options: FakeOptions): FakeSettings {
  const settings = {
    ...defaultSettings,
    ...options,
    cost: { ...defaultSettings.cost, ...options.cost },
    brain: { ...defaultSettings.brain, ...options.brain },
  };
  if (settings.blocks * 16 < settings.contextLength) throw new RangeError('blocks must hold one full context');
  if (settings.stepTokens < settings.maxSequences) throw new RangeError('stepTokens must not be smaller than maxSequences');
  if (settings.vocabulary < 16) throw new RangeError('vocabulary must be at least 16');
  if (Object.values(settings.brain).some((share) => !(share >= 0 && share <= 1)))
    throw new RangeError('a dial of the brain is a share of 0 to 1');
  if (!(settings.timeScale >= 0)) throw new RangeError('timeScale must not be negative');
  return settings;
}

const dashed = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
/** Settings that are several numbers, each a flag of its own: `--cost.base 1`. */
const grouped = ['cost', 'brain'] as const;
const isGroup = (name: string): name is (typeof grouped)[number] => name === 'cost' || name === 'brain';
const isSpread = (name: string): name is 'latency' | 'length' => name === 'latency' || name === 'length';

/** As flags of the process: `--max-sequences 64`, `--cost.base 1`, `--brain.malformed 0.2`, `--latency 1000:0.6`, `--check-adapters false`. */
export function flagsOf(options: FakeOptions): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    if (value === undefined) return [];
    if (isGroup(name)) return Object.entries(value as object).flatMap(([part, number]) => [`--${name}.${part}`, String(number)]);
    if (isSpread(name)) return [`--${name}`, `${(value as Spread).mean}:${(value as Spread).sigma}`];
    return [`--${dashed(name)}`, `${value as string | number | boolean}`];
  });
}

/** Reads such flags. Throws TypeError (an unknown flag) or RangeError (a value that cannot be). */
export function readFlags(argv: string[]): { readonly options: FakeOptions; readonly port: number } {
  const names = Object.keys(defaultSettings).filter((name) => !isGroup(name)) as (keyof FakeSettings)[];
  const parts = grouped.flatMap((name) => Object.keys(defaultSettings[name]).map((part) => `${name}.${part}`));
  const flags = ['port', 'latency', 'length', ...names.map(dashed), ...parts];
  const { values } = parseArgs({ args: argv, options: Object.fromEntries(flags.map((flag) => [flag, { type: 'string' as const }])) });
  const options: Record<string, unknown> = {};
  for (const name of names) {
    const text = values[dashed(name)];
    if (text !== undefined) options[name] = readAs(typeof defaultSettings[name], name, text);
  }
  for (const name of ['latency', 'length']) {
    const text = values[name];
    if (text === undefined) continue;
    const [mean, sigma] = text.split(':').map((part) => readAs('number', name, part) as number);
    options[name] = { mean, sigma: sigma ?? 0 };
  }
  for (const name of grouped) {
    const given = parts.flatMap((flag) => {
      const text = flag.startsWith(`${name}.`) ? values[flag] : undefined;
      return text === undefined ? [] : [[flag.slice(name.length + 1), readAs('number', flag, text)]];
    });
    if (given.length > 0) options[name] = Object.fromEntries(given);
  }
  return { options, port: Number(values['port'] ?? 0) };
}

function readAs(kind: string, name: string, text: string): unknown {
  if (kind === 'string') return text;
  if (kind === 'boolean') return text !== 'false';
  const value = Number(text);
  if (text === '' || !Number.isFinite(value)) throw new RangeError(`--${dashed(name)}: ${text} is no number`);
  return value;
}
