/**
 * The identical first turn of a group's members, asked once with `n`: one prompt to prefill instead of eight. Sample k of a request uses seed + k,
 * so requests merge where their seeds follow each other, and each member gets the sample it would have got alone. Pure.
 */
import type { TokenReply, TokenRequest } from '../protocol/inference.ts';

/** Do the two ask the same of the same version, seeds and deadlines aside? */
function isSameQuestion(a: TokenRequest, b: TokenRequest): boolean {
  return (
    a.group === b.group &&
    a.role === b.role &&
    a.version === b.version &&
    a.maxTokens === b.maxTokens &&
    a.temperature === b.temperature &&
    a.ids.length === b.ids.length &&
    a.stop.length === b.stop.length &&
    a.stop.every((id, i) => id === b.stop[i]) &&
    a.ids.every((id, i) => id === b.ids[i])
  );
}

/** Of `others`, those whose seeds go on where `first` ends, in seed order, while their samples fit into `room`; `first` leads the list. */
export function runOfSeeds<C extends { readonly request: TokenRequest }>(first: C, others: readonly C[], room: number): C[] {
  const run = [first];
  let samples = first.request.n;
  // Seeds first: they tell nearly all others apart without reading a prompt.
  const isNear = ({ seed }: TokenRequest): boolean => seed > first.request.seed && seed < first.request.seed + room;
  const sorted = others
    .filter(({ request }) => isNear(request) && isSameQuestion(first.request, request))
    .sort((a, b) => a.request.seed - b.request.seed);
  for (const other of sorted) {
    if (other.request.seed !== first.request.seed + samples || samples + other.request.n > room) continue;
    run.push(other);
    samples += other.request.n;
  }
  return run;
}

/** The one request that stands for all of `requests` (at least one, as `runOfSeeds` lists them). */
export function merged(requests: readonly TokenRequest[]): TokenRequest {
  const first = requests[0] as TokenRequest;
  if (requests.length === 1) return first;
  return {
    ...first,
    n: requests.reduce((n, request) => n + request.n, 0),
    deadlineMs: Math.max(...requests.map((request) => request.deadlineMs)),
  };
}

/** Deals the samples of the merged reply out again, one reply per request. */
export function dealt(reply: TokenReply, requests: readonly TokenRequest[]): TokenReply[] {
  let at = 0;
  return requests.map((request) => ({ id: request.id, version: reply.version, samples: reply.samples.slice(at, (at += request.n)) }));
}
