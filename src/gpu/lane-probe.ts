/** One real token from an engine that failed: an engine's word about its own health is not asked (it is known to lie). Knows no mode and no circuit. */
import type { CallId, GroupId, PolicyVersion } from '../protocol/ids.ts';
import type { Asked } from './call.ts';
import type { Engine } from './engine.ts';
import { checkedChat, checkedTokens } from './reply-check.ts';

/** The group of every probe: no task's. */
export const probeGroup = 'probe' as GroupId;

/** Enough to be a prompt; a prefix of a prompt is one. */
const probeIds = 16;

/** The little of a question that a probe needs: it is kept for the life of the run. */
export function probeOf(asked: Asked): Asked {
  if (asked.kind === 'tokens') return { kind: 'tokens', request: { ...asked.request, ids: asked.request.ids.slice(0, probeIds) } };
  const { schema: _, ...request } = asked.request;
  return { kind: 'chat', request };
}

/** Rejects where no good reply comes. `id` is the probe's own, so that no journaled reply answers it and it answers nobody's call. */
export async function probe(
  engine: Engine,
  known: Asked | undefined,
  { id, version, deadlineMs }: { readonly id: string; readonly version: PolicyVersion | null; readonly deadlineMs: number },
  signal: AbortSignal,
): Promise<void> {
  const own = { id: id as CallId, group: probeGroup, deadlineMs, seed: 0, maxTokens: 1 };
  if (known?.kind === 'tokens') {
    const request = { ...known.request, ...own, version, n: 1, stop: [] };
    checkedTokens(await engine.generate(request, signal), request);
  } else if (known?.kind === 'chat' && engine.chat !== undefined) {
    const request = { ...known.request, ...own };
    checkedChat(await engine.chat(request, signal), request);
  } else await engine.metrics();
}
