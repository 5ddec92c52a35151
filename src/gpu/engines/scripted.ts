/** The reference engine: replies come from a function, faults from a seed. It knows the contract of engine.ts to the letter and nothing of models. */
import { CancelledFault, EngineFault } from '../../errors.ts';
import type { PolicyVersion } from '../../protocol/ids.ts';
import type { TokenReply, TokenRequest, TokenSample } from '../../protocol/inference.ts';
import type { Weights } from '../../protocol/policy.ts';
import { seedOf, stream, uniform, type Seed } from '../../random.ts';
import type { Clock } from '../clock.ts';
import type { Engine, EngineMetrics } from '../engine.ts';

/** The ids one sample consists of, stop token included where it ends by itself. A pure function of its arguments. */
export type ScriptedPolicy = (request: TokenRequest, seed: Seed, version: PolicyVersion) => ArrayLike<number>;

/** Shares of calls, in [0, 1], that go wrong; drawn anew for each attempt at a call. At most one fault a call, in this order. */
export interface ScriptedFaults {
  /** Rejects with EngineFault. */
  readonly error: number;
  /** Answers with a reply that breaks the contract: the broker must notice. */
  readonly malformed: number;
  /** Never answers; only an abort ends it. */
  readonly hang: number;
  /** Takes `slowMs` instead of `latencyMs`. */
  readonly slow: number;
}

export interface ScriptedOptions {
  readonly policy: ScriptedPolicy;
  readonly clock: Clock;
  /** Of the faults; replies depend on the request's own seed only. */
  readonly seed?: Seed;
  readonly version?: PolicyVersion;
  /** Versions that answer at once. Default 1. */
  readonly versions?: number;
  /** Calls held at once; further ones wait their turn. */
  readonly concurrency?: number;
  readonly contextLength?: number;
  readonly latencyMs?: number;
  readonly slowMs?: number;
  readonly faults?: Partial<ScriptedFaults>;
}

export interface ScriptedEngine extends Engine {
  /** Calls that reached the engine, refused and faulted ones included: what a test of wasted calls counts. */
  readonly asked: number;
}

type Mishap = keyof ScriptedFaults | 'none';

export function createScriptedEngine(options: ScriptedOptions): ScriptedEngine {
  const {
    policy,
    clock,
    seed = 0,
    versions = 1,
    concurrency = 4096,
    contextLength = 4096,
    latencyMs = 0,
    slowMs = 10 * latencyMs + 100,
  } = options;
  let version = options.version ?? (0 as PolicyVersion);
  let closed = false;
  let busy = 0;
  let busySeconds = 0;
  let answered = 0;
  let promptTokens = 0;
  let sampledTokens = 0;
  /** Attempts at calls that have not been answered yet: a repeat draws its mishap anew. */
  const attempts = new Map<string, number>();
  let asked = 0;
  const waiting = new Set<() => void>();
  const inFlight = new Set<(fault: EngineFault) => void>();

  const mishapOf = (request: TokenRequest, attempt: number): Mishap => {
    const draw = uniform(seedOf(seed, 'fault', request.id), attempt);
    let bound = 0;
    for (const kind of ['error', 'malformed', 'hang', 'slow'] as const) {
      bound += options.faults?.[kind] ?? 0;
      if (draw < bound) return kind;
    }
    return 'none';
  };

  const sample = (request: TokenRequest, k: number): TokenSample => {
    const own = request.seed + k;
    const said = policy(request, own, request.version ?? version);
    const ids = Int32Array.from(said).subarray(0, Math.min(request.maxTokens, contextLength - request.ids.length));
    const chance = seedOf(own, 'logprob');
    const logprobs = Float32Array.from(ids, (_, i) => -uniform(chance, i));
    const last = ids.at(-1);
    return { ids: ids.slice(), logprobs, finish: last !== undefined && request.stop.includes(last) ? 'stop' : 'length' };
  };

  const reply = (request: TokenRequest): TokenReply => {
    const samples = Array.from({ length: request.n }, (_, k) => sample(request, k));
    answered++;
    promptTokens += request.ids.length;
    for (const { ids } of samples) sampledTokens += ids.length;
    return { id: request.id, version: request.version ?? version, samples };
  };

  const refuse = (request: TokenRequest): EngineFault | undefined => {
    if (closed) return new EngineFault('the engine is closed');
    if (request.version !== null && (request.version > version || request.version <= version - versions))
      return new EngineFault(`version ${request.version} was asked for, version ${version} answers`);
    if (request.ids.length >= contextLength)
      return new EngineFault(`a prompt of ${request.ids.length} tokens leaves no room in a context of ${contextLength}`);
    return undefined;
  };

  const generate = (request: TokenRequest, signal: AbortSignal): Promise<TokenReply> => {
    asked++;
    const attempt = attempts.get(request.id) ?? 0;
    return new Promise((resolve, reject) => {
      let holdsSlot = false;
      let recall: (() => void) | undefined;
      const started = clock.now();
      const settle = (finish: () => void): void => {
        if (!inFlight.delete(fail)) return;
        signal.removeEventListener('abort', abort);
        waiting.delete(start);
        recall?.();
        if (holdsSlot) {
          busy--;
          busySeconds += (clock.now() - started) / 1000;
          const [next] = waiting;
          next?.();
        }
        finish();
      };
      const fail = (fault: EngineFault): void => settle(() => reject(fault));
      const abort = (): void => settle(() => reject(new CancelledFault(`call ${request.id} was aborted`)));
      const answer = (mishap: Mishap): void =>
        settle(() => {
          const fault = refuse(request);
          if (fault !== undefined) reject(fault);
          else if (mishap === 'error') reject(new EngineFault('scripted error'));
          else resolve(mishap === 'malformed' ? garble(reply(request), attempt) : reply(request));
        });
      const start = (): void => {
        waiting.delete(start);
        holdsSlot = true;
        busy++;
        const mishap = mishapOf(request, attempt);
        if (mishap === 'none') attempts.delete(request.id);
        else attempts.set(request.id, attempt + 1);
        if (mishap === 'hang') return;
        const delay = mishap === 'slow' ? slowMs : latencyMs;
        if (delay > 0) recall = clock.after(delay, () => answer(mishap));
        else answer(mishap);
      };
      inFlight.add(fail);
      if (signal.aborted) return abort();
      const refused = refuse(request);
      if (refused !== undefined) return fail(refused);
      signal.addEventListener('abort', abort, { once: true });
      if (busy < concurrency) start();
      else waiting.add(start);
    });
  };

  return {
    name: 'scripted',
    contextLength,
    concurrency,
    versions,
    generate,
    publish: async (weights: Weights) => {
      if (closed) throw new EngineFault('the engine is closed');
      version = weights.version;
    },
    metrics: async (): Promise<EngineMetrics> => ({ calls: answered, promptTokens, cachedTokens: 0, sampledTokens, busySeconds }),
    close: async () => {
      closed = true;
      for (const fail of inFlight) fail(new EngineFault('the engine was closed'));
    },
    get asked() {
      return asked;
    },
  };
}

/** Breaks a good reply in one of the ways in which real servers do. */
function garble(good: TokenReply, attempt: number): TokenReply {
  const first = good.samples[0] as TokenSample;
  const broken: readonly TokenReply[] = [
    { ...good, samples: [] },
    { ...good, samples: [{ ...first, logprobs: first.logprobs.slice(1) }, ...good.samples.slice(1)] },
    { ...good, samples: [{ ...first, logprobs: first.logprobs.map(() => Number.NaN) }, ...good.samples.slice(1)] },
    { ...good, samples: [...good.samples, first] },
    { ...good, samples: good.samples.map((each) => ({ ...each, finish: 'maybe' as TokenSample['finish'] })) },
  ];
  return stream(seedOf('garble', good.id, attempt)).pick(broken);
}
