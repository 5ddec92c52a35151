/** A server's /metrics, read: the few Prometheus lines that tell how it fares. Pure; knows vLLM's metric names and the text format, and asks nobody. */

/** One reading. Counters run from the server's start; each number is the sum over its engines, shares their largest. */
export interface Load {
  readonly running: number;
  /** Requests held and not run. */
  readonly waiting: number;
  /** Share of the key-value cache in use. */
  readonly cacheUse: number;
  /** Times a running request was thrown out of the cache. */
  readonly preemptions: number;
  /** Requests refused for a full queue. */
  readonly rejections: number;
  /** Prompt tokens, and those of them that the prefix cache held. */
  readonly promptTokens: number;
  readonly cachedTokens: number;
  /** Adapters it can hold at once; absent where it serves none. */
  readonly adapters?: number;
}

/** Undefined where the text is no reading of a vLLM server. Unknown lines are skipped. */
export function readLoad(text: string): Load | undefined {
  const sums = new Map<string, number>();
  const peaks = new Map<string, number>();
  let adapters: number | undefined;
  for (const line of text.split('\n')) {
    const read = /^(vllm:[\w:]+)(\{.*\})?\s+(\S+)/.exec(line);
    if (read === null) continue;
    const [, name = '', labels = '', written = ''] = read;
    const value = Number(written);
    if (!Number.isFinite(value)) continue;
    sums.set(name, (sums.get(name) ?? 0) + value);
    peaks.set(name, Math.max(peaks.get(name) ?? 0, value));
    if (name === 'vllm:lora_requests_info') adapters = Number(/max_lora="(\d+)"/.exec(labels)?.[1] ?? 0);
  }
  const running = sums.get('vllm:num_requests_running');
  const waiting = sums.get('vllm:num_requests_waiting');
  if (running === undefined || waiting === undefined) return undefined;
  const counter = (name: string): number => sums.get(`vllm:${name}_total`) ?? 0;
  return {
    running,
    waiting,
    cacheUse: Math.min(1, Math.max(0, peaks.get('vllm:kv_cache_usage_perc') ?? 0)),
    preemptions: counter('num_preemptions'),
    rejections: counter('admission_rejections'),
    promptTokens: counter('prefix_cache_queries'),
    cachedTokens: counter('prefix_cache_hits'),
    ...(adapters === undefined ? {} : { adapters }),
  };
}
