/**
 * Whether a model, its server and its trainer fit on one card, and how the card is divided: arithmetic from the model's facts, no card needed.
 * Knows neither configs nor machines. What it says is an estimate from the sizes of tensors; the constants that are not arithmetic are named below with their reasons.
 */
import { adapterParameters, type LayerMatrix, type ModelFacts, parametersOf } from './model-facts.ts';

export interface MemoryDemand {
  readonly facts: ModelFacts;
  /** Memory of the card. With `separate` each of the two has one of that size. */
  readonly cardBytes: number;
  /** coresident: both hold their memory at once; timesliced: the server sleeps while the trainer steps; separate: a card each. */
  readonly sharing: 'coresident' | 'timesliced' | 'separate';
  /** null: nobody serves on this card. */
  readonly server: ServerDemand | null;
  /** null: nothing is trained. */
  readonly trainer: TrainerDemand | null;
}

export interface ServerDemand {
  readonly bytesPerWeight: 2 | 4;
  /** Tokens a context may hold. */
  readonly contextLength: number;
  readonly maxSequences: number;
  /** Adapters on the card at once, and their rank; 0 where none is served. */
  readonly adapters: number;
  readonly rank: number;
  /** Fixed share of the card; absent: what the trainer leaves. */
  readonly share?: number | undefined;
}

export interface TrainerDemand {
  /** Of what is computed in, and of frozen weights. */
  readonly bytesPerWeight: 2 | 4;
  /** What trains; null: all weights. */
  readonly adapter: { readonly rank: number; readonly targets: readonly LayerMatrix[] } | null;
  /** Whether the loss needs the base's log-probs: with an adapter the base is there anyway. */
  readonly reference: boolean;
  /** Tokens of the largest forward-backward: at least one whole context. */
  readonly tokens: number;
  readonly checkpointing: boolean;
}

export interface MemoryRow {
  readonly of: 'server' | 'trainer' | 'card';
  readonly what: string;
  readonly bytes: number;
  /** How the number comes about. */
  readonly how: string;
}

export interface MemoryPlan {
  readonly rows: readonly MemoryRow[];
  readonly trainerBytes: number;
  /** The server's share of the card (--gpu-memory-utilization), in hundredths; 0 where none serves or nothing is left. */
  readonly serverShare: number;
  readonly kvBytesPerToken: number;
  /** Tokens the server can keep at once. */
  readonly kvTokens: number;
  /** Contexts of full length that are. */
  readonly contexts: number;
  /** Host memory that a sleeping server's weights take; 0 unless time-sliced. */
  readonly hostBytes: number;
  /** Why it does not fit, in words; null where it does. */
  readonly problem: string | null;
}

/** vLLM's own default is 0.92 of an empty card. */
const wholeShare = 0.92;
/** A process on a card: CUDA context, cuBLAS and attention workspaces. */
const contextBytes = 1e9;
/** A server beside its weights and cache: context, CUDA graphs, allocator. */
const serverBaseBytes = 2e9;
/** Tokens of one step of a server: vLLM's --max-num-batched-tokens on large cards. */
const batchedTokens = 8192;
/** Of the card: what allocators lose to fragmentation. Two of them share it. */
const slack = 0.08;
/** Positions whose logits the trainer holds at once: CHUNK in python/troupe_trainer/logprobs.py. */
const logitRows = 1024;

export function memoryPlan({ facts, cardBytes, sharing, server, trainer }: MemoryDemand): MemoryPlan {
  const training = trainer === null ? null : trainerRows(facts, trainer);
  const serving = server === null ? null : serverRows(facts, server);
  const trainerBytes = sum(training ?? []);
  const slackBytes = cardBytes * slack;
  const alone = sharing === 'separate' || server === null || trainer === null;
  // While the server is awake a time-sliced trainer keeps what it cannot recompute; its activations are gone.
  const kept = alone ? 0 : sum((training ?? []).filter(({ lasting }) => sharing === 'coresident' || lasting));
  const share = server === null ? 0 : (server.share ?? (alone ? wholeShare : hundredths((cardBytes - kept - slackBytes) / cardBytes)));
  const kvBytesPerToken = server === null ? 0 : 2 * facts.layers * facts.kvHeads * facts.headDim * server.bytesPerWeight;
  const cacheBytes = server === null ? 0 : share * cardBytes - sum(serving ?? []);
  const kvTokens = kvBytesPerToken === 0 ? 0 : Math.max(0, Math.floor(cacheBytes / kvBytesPerToken));
  const cache = {
    of: 'server',
    what: 'key-value cache',
    bytes: Math.max(0, cacheBytes),
    how: `${kvTokens} tokens of ${kvBytesPerToken} B`,
  } as const;
  const rows = [
    ...(training ?? []),
    ...(serving ?? []),
    ...(server === null ? [] : [cache]),
    ...(alone ? [] : [{ of: 'card', what: 'left free', bytes: slackBytes, how: `${slack * 100} % for fragmentation` } as const]),
  ].map(({ of, what, bytes, how }) => ({ of, what, bytes, how }));
  const asleep = sharing === 'timesliced' && !alone ? contextBytes : 0;
  return {
    rows,
    trainerBytes,
    serverShare: Math.max(0, share),
    kvBytesPerToken,
    kvTokens,
    contexts: server === null ? 0 : Math.floor(kvTokens / server.contextLength),
    hostBytes: asleep === 0 ? 0 : weightsAndAdapters(serving ?? []),
    problem: problemOf(),
  };

  function problemOf(): string | null {
    const room = cardBytes - slackBytes - asleep;
    if (trainerBytes > room) return `the trainer needs ${gibibytes(trainerBytes)}, the card has ${gibibytes(room)} for it`;
    if (server === null) return null;
    if (!alone && share * cardBytes + kept + slackBytes > cardBytes * 1.005)
      return `the server's share of ${share} and the trainer's ${gibibytes(kept)} are more than the card`;
    if (kvTokens < server.contextLength)
      return `the server's cache has room for ${kvTokens} tokens, one context may hold ${server.contextLength}`;
    return null;
  }
}

interface Row extends MemoryRow {
  /** Held between steps too. */
  readonly lasting: boolean;
}

/** What trains is float32, with its gradients and both moments of Adam, whatever is computed in; frozen weights need none of these. */
function trainerRows(facts: ModelFacts, { bytesPerWeight, adapter, reference, tokens, checkpointing }: TrainerDemand): Row[] {
  const weights = parametersOf(facts);
  const inputs = facts.hidden * bytesPerWeight;
  const layer = layerBytes(facts, bytesPerWeight, adapter?.targets ?? []);
  const row = (what: string, bytes: number, how: string, lasting: boolean): Row => ({ of: 'trainer', what, bytes, how, lasting });
  const trained = (what: string, count: number): Row =>
    row(what, count * 16, `${millions(count)} weights × 16 B: weights, gradients, two moments`, true);
  return [
    ...(adapter === null
      ? [
          trained('weights', weights),
          ...(reference ? [row('base for the KL', weights * 4, `${billions(weights)} weights × 4 B`, true)] : []),
        ]
      : [
          row('frozen base', weights * bytesPerWeight, `${billions(weights)} weights × ${bytesPerWeight} B`, true),
          trained('adapter', adapterParameters(facts, adapter.rank, adapter.targets)),
        ]),
    ...(checkpointing
      ? [
          row('layer inputs', facts.layers * inputs * tokens, `${facts.layers} × ${inputs} B × ${tokens} tokens`, false),
          row('one layer recomputed', layer * tokens, `${layer} B × ${tokens} tokens`, false),
        ]
      : [row('activations', facts.layers * layer * tokens, `${facts.layers} × ${layer} B × ${tokens} tokens`, false)]),
    row('logits', 3 * logitRows * facts.vocab * 4, `${logitRows} rows × ${facts.vocab} × 4 B, their exponentials and products`, false),
    row('context', contextBytes, 'CUDA, workspaces', true),
  ];
}

/** Bytes a token leaves in one layer for its backward pass: norms' inputs in float32, projections, gated feed-forward, and peft's float32 copy of each adapted matrix's input. */
function layerBytes(facts: ModelFacts, bytesPerWeight: number, targets: readonly LayerMatrix[]): number {
  const { hidden, heads, kvHeads, headDim, intermediate } = facts;
  const wide = heads * headDim;
  const narrow = kvHeads * headDim;
  const residual = 2 * hidden * (4 + bytesPerWeight) + 2 * hidden * bytesPerWeight;
  const attention = (3 * (wide + 2 * narrow) + wide) * bytesPerWeight;
  const feedForward = 4 * intermediate * bytesPerWeight;
  const inputs = {
    q_proj: hidden,
    k_proj: hidden,
    v_proj: hidden,
    o_proj: wide,
    gate_proj: hidden,
    up_proj: hidden,
    down_proj: intermediate,
  };
  const copies = bytesPerWeight === 4 ? 0 : targets.reduce((total, name) => total + inputs[name] * 4, 0);
  return residual + attention + feedForward + copies;
}

function serverRows(facts: ModelFacts, { bytesPerWeight, maxSequences, adapters, rank }: ServerDemand): Row[] {
  const weights = parametersOf(facts);
  const all: readonly LayerMatrix[] = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'];
  // A slot is as large as the largest adapter the server may be given: all matrices at the rank it was started with.
  const slot = adapters === 0 ? 0 : adapterParameters(facts, rank, all) * bytesPerWeight;
  const step = batchedTokens * (2 * facts.intermediate + 4 * facts.hidden) * bytesPerWeight;
  const logits = 2 * maxSequences * facts.vocab * 4;
  const row = (what: string, bytes: number, how: string): Row => ({ of: 'server', what, bytes, how, lasting: true });
  return [
    row('weights', weights * bytesPerWeight, `${billions(weights)} weights × ${bytesPerWeight} B`),
    ...(adapters === 0 ? [] : [row('adapter slots', adapters * slot, `${adapters} of rank ${rank}`)]),
    row(
      'runtime',
      serverBaseBytes + step + logits,
      `context, graphs, a step of ${batchedTokens} tokens, logits of ${maxSequences} sequences`,
    ),
  ];
}

const weightsAndAdapters = (rows: readonly Row[]): number => sum(rows.filter(({ what }) => what !== 'runtime'));
const sum = (rows: readonly MemoryRow[]): number => rows.reduce((total, { bytes }) => total + bytes, 0);
const hundredths = (share: number): number => Math.max(0, Math.floor(share * 100) / 100);
const billions = (count: number): string => `${(count / 1e9).toFixed(2)} B`;
const millions = (count: number): string => `${(count / 1e6).toFixed(1)} M`;
/** As nvidia-smi and PyTorch count. */
export const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
