/** Has a language model say what tools lack, each tool once and a few tools at a time. What it cannot say stays missing, with the reason. Knows no engine: it is given a way to ask. */
import { asFault, EngineFault } from '../errors.ts';
import { wellFormed } from '../protocol/codec.ts';
import type { GroupId } from '../protocol/ids.ts';
import type { ChatReply, ChatRequest } from '../protocol/inference.ts';
import type { PolicyVersion } from '../protocol/ids.ts';
import type { ToolSpec } from '../protocol/tool.ts';
import { type Seed, seedOf } from '../random.ts';
import { completed, inferPrompt, inferSchema, readInferred } from '../simulation/lm/infer.ts';
import { type Gap, gapsOf } from '../tools/gaps.ts';
import { callKey } from './keys.ts';

export interface InferPorts {
  /** Rejects where nobody answers. */
  chat(request: ChatRequest): Promise<ChatReply>;
  readonly seed: Seed;
  /** Prompts one tool may cost, repairs included. */
  readonly attempts: number;
  /** Of one prompt. */
  readonly deadlineMs: number;
  /** Tools asked about at once. */
  readonly width: number;
  /** Aborted: no further tool is asked about. */
  readonly signal: AbortSignal;
  /** After each tool. */
  progress(done: number, of: number): void;
}

export interface InferReport {
  /** All of them, in their order, completed where that was possible. */
  readonly tools: readonly ToolSpec[];
  readonly lacking: number;
  readonly inferred: number;
  /** Tools that still lack something. */
  readonly failed: readonly { readonly name: string; readonly lacks: Gap['lacks']; readonly reason: string }[];
  /** Prompts it took. */
  readonly calls: number;
}

export async function inferGaps(tools: readonly ToolSpec[], ports: InferPorts): Promise<InferReport> {
  const gaps = gapsOf(tools);
  const found = new Map<ToolSpec, ToolSpec>();
  const failed: InferReport['failed'][number][] = [];
  let next = 0;
  let done = 0;
  let calls = 0;
  const work = async (): Promise<void> => {
    for (let gap = gaps[next++]; gap !== undefined; gap = gaps[next++]) {
      const end = ports.signal.aborted ? { calls: 0, reason: 'interrupted' } : await inferOne(gap, ports);
      calls += end.calls;
      if ('tool' in end) found.set(gap.tool, end.tool);
      else failed.push({ name: gap.tool.name, lacks: gap.lacks, reason: end.reason });
      ports.progress(++done, gaps.length);
    }
  };
  await Promise.all(Array.from({ length: Math.min(ports.width, gaps.length) }, work));
  const order = new Map(gaps.map(({ tool }, index) => [tool.name, index]));
  return {
    tools: tools.map((tool) => found.get(tool) ?? tool),
    lacking: gaps.length,
    inferred: found.size,
    failed: failed.toSorted((a, b) => (order.get(a.name) ?? 0) - (order.get(b.name) ?? 0)),
    calls,
  };
}

type End = { readonly calls: number } & ({ readonly tool: ToolSpec } | { readonly reason: string });

/** Greedy at first; repairs vary, or a model would repeat itself. */
const repairTemperature = 0.5;
const replyTokens = 1024;

async function inferOne(gap: Gap, { chat, seed, attempts, deadlineMs }: InferPorts): Promise<End> {
  const complaints: string[] = [];
  while (complaints.length < attempts) {
    const sample = complaints.length;
    const messages = inferPrompt(gap, complaints);
    const scope = `infer ${gap.tool.name}`;
    try {
      const { text } = await chat({
        id: callKey({ scope, actor: 'infer', turn: 0, sample, version: 0 as PolicyVersion }, JSON.stringify(messages)),
        role: 'tool',
        messages,
        schema: inferSchema(gap),
        seed: seedOf(seed, scope, sample) % 2 ** 32,
        maxTokens: replyTokens,
        temperature: sample === 0 ? 0 : repairTemperature,
        priority: 0,
        group: 'infer' as GroupId,
        deadlineMs,
      });
      const reading = readInferred(wellFormed(text), gap);
      if (reading.ok) return { calls: sample + 1, tool: completed(gap.tool, reading.answer) };
      complaints.push(reading.complaint);
    } catch (error) {
      return { calls: sample + 1, reason: asFault(EngineFault, 'no answer', error).message };
    }
  }
  return { calls: attempts, reason: complaints.at(-1) ?? 'not asked' };
}
