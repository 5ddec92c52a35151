/** Turns sampling requests into jobs: admits as many as the cache holds, computes each prompt once, shares its pages among its samples. */
import type { Crew } from './crew.ts';
import type { Sample } from './decode.ts';
import type { PagePool } from './pages.ts';
import { PAGE_TOKENS } from './plan.ts';
import type { Plan } from './plan.ts';

export interface SampleRequest {
  /** The prompt, at least one token. */
  readonly ids: Int32Array;
  /** Samples wanted; one seed each. */
  readonly n: number;
  readonly seeds: readonly number[];
  /** Token ids that end a sample. */
  readonly stop: readonly number[];
  /** Per sample, and cut where maxPositions ends. */
  readonly maxTokens: number;
  readonly temperature: number;
  readonly greedy?: boolean;
}

/** A request with its pages: those of the prompt, and per sample those behind the prompt's last full page. */
interface Admitted {
  readonly request: SampleRequest;
  readonly maxTokens: number;
  /** Tokens found in the cache. */
  readonly known: number;
  readonly prompt: readonly number[];
  readonly tails: readonly (readonly number[])[];
}

export function sample(crew: Crew, plan: Plan, buffer: SharedArrayBuffer, pool: PagePool, requests: readonly SampleRequest[]): Sample[][] {
  for (const request of requests) check(plan, request);
  const replies = requests.map((): Sample[] => []);
  let waiting = requests.map((request, index) => ({ request, index }));
  while (waiting.length > 0) {
    const wave: { admitted: Admitted; index: number }[] = [];
    let left = waiting;
    for (const { request, index } of waiting) {
      const admitted = admit(plan, pool, request);
      if (!admitted) break;
      wave.push({ admitted, index });
      const rest = request.n - admitted.tails.length;
      left = left.slice(1);
      if (rest === 0) continue;
      left = [{ request: { ...request, n: rest, seeds: request.seeds.slice(-rest) }, index }, ...left];
      break;
    }
    if (wave.length === 0) throw new RangeError('one sequence needs more key-value pages than there are: raise cacheMB');
    const samples = runWave(
      crew,
      plan,
      buffer,
      pool,
      wave.map((member) => member.admitted),
    );
    wave.forEach(({ index }, i) => replies[index]?.push(...(samples[i] ?? [])));
    waiting = left;
  }
  return replies;
}

function check(plan: Plan, request: SampleRequest): void {
  const { ids, n, seeds, temperature } = request;
  const { maxPositions, vocab } = plan.shape;
  if (ids.length < 1 || ids.length > maxPositions) throw new RangeError(`a prompt has 1 to ${maxPositions} tokens, not ${ids.length}`);
  for (const id of ids) if (id < 0 || id >= vocab) throw new RangeError(`token ${id} is not in 0 .. ${vocab - 1}`);
  if (seeds.length !== n) throw new RangeError(`${n} samples need ${n} seeds, not ${seeds.length}`);
  if (!request.greedy && !(temperature > 0)) throw new RangeError(`temperature must be positive, not ${temperature}`);
}

/** Admits at least one sample of the request and as many as there is room for, or nothing. */
function admit(plan: Plan, pool: PagePool, request: SampleRequest): Admitted | undefined {
  const { ids } = request;
  const maxTokens = Math.max(0, Math.min(request.maxTokens, plan.shape.maxPositions - ids.length));
  // The last prompt token is always computed: its logits are wanted.
  const found = pool.match(ids, Math.floor((ids.length - 1) / PAGE_TOKENS));
  const full = Math.floor(ids.length / PAGE_TOKENS);
  const promptPages = Math.ceil(ids.length / PAGE_TOKENS);
  // The last drawn token is never computed, so it needs no room.
  const tail = maxTokens > 1 ? Math.ceil((ids.length + maxTokens - 1) / PAGE_TOKENS) - full : 0;
  const room = pool.available - (promptPages - found.length);
  const count = tail === 0 ? request.n : Math.min(request.n, Math.floor(room / tail));
  if (room < 0 || (count < 1 && request.n > 0)) {
    pool.release(found);
    return undefined;
  }
  const prompt = [...found, ...pool.take(promptPages - found.length)];
  const tails = Array.from({ length: count }, () => pool.take(tail));
  return { request, maxTokens, known: found.length * PAGE_TOKENS, prompt, tails };
}

function runWave(crew: Crew, plan: Plan, buffer: SharedArrayBuffer, pool: PagePool, wave: readonly Admitted[]): Sample[][] {
  const address = (page: number): number => plan.pages.start + page * plan.pages.bytes;
  const addresses = (pages: readonly number[]): Uint32Array => Uint32Array.from(pages, address);
  const prompts = wave.map(({ request, known, prompt }) => ({ ids: request.ids.subarray(known), start: known, pages: addresses(prompt) }));
  const logits = dealt(crew.lanes, prompts, (share) => crew.run(share.map((part) => ({ kind: 'prefill', prompts: part }) as const)));

  const bytes = new Uint8Array(buffer);
  const items = wave.flatMap(({ request, maxTokens, prompt, tails }, index) => {
    const full = Math.floor(request.ids.length / PAGE_TOKENS);
    return tails.map((tail, i) => {
      const partial = prompt[full];
      if (partial !== undefined && tail[0] !== undefined) bytes.copyWithin(address(tail[0]), address(partial), address(partial + 1));
      return {
        logits: logits[index] as Float32Array,
        length: request.ids.length,
        pages: addresses([...prompt.slice(0, full), ...tail]),
        seed: request.seeds[i] as number,
        stop: request.stop,
        maxTokens,
        temperature: request.greedy ? 0 : request.temperature,
      };
    });
  });
  const samples = dealt(crew.lanes, items, (share) => crew.run(share.map((part) => ({ kind: 'decode', items: part }) as const)));

  let next = 0;
  return wave.map(({ request, prompt, tails }) => {
    const full = Math.floor(request.ids.length / PAGE_TOKENS);
    pool.retain(request.ids, prompt);
    const replies = tails.map((tail) => {
      const reply = samples[next++] as Sample;
      const computed = Int32Array.of(...request.ids, ...reply.ids.subarray(0, -1));
      pool.retain(computed, [...prompt.slice(0, full), ...tail]);
      pool.release(tail);
      return reply;
    });
    pool.release(prompt);
    return replies;
  });
}

/** Deals items to the lanes in turn, so that neighbours, which are alike, are spread; puts the results back in order. */
function dealt<T, R>(lanes: number, items: readonly T[], run: (shares: readonly (readonly T[])[]) => readonly (readonly R[])[]): R[] {
  const shares = Array.from({ length: Math.min(lanes, items.length) }, (_, lane) => items.filter((_item, i) => i % lanes === lane));
  const results = run(shares);
  return items.map((_, i) => results[i % lanes]?.[Math.floor(i / lanes)] as R);
}
