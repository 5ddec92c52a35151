/** What of a stream of candidate tools can be used: schemas we can check against, valid names each once, no content twice. Knows no format and no task. */
import { createHash } from 'node:crypto';
import { canonical, type JsonObject } from '../protocol/json.ts';
import { ToolSpec } from '../protocol/tool.ts';
import { naming } from './naming.ts';
import { safeSchema } from './schema.ts';

/** A tool that cannot be used, and why. */
export interface Rejection {
  readonly name: string;
  readonly source: string;
  readonly reason: string;
}
export interface Sorted {
  readonly usable: readonly ToolSpec[];
  readonly rejected: readonly Rejection[];
}

/** Asked about each schema that would be kept: why it cannot be used, if so. Without parameters there is no tool; what it returns is left out. */
export interface Proof {
  parameters(schema: JsonObject): string | undefined;
  returns(schema: JsonObject): string | undefined;
}

/** Sorts candidates as they come; order is kept. It remembers names and contents of all it has let through. */
export class Sieve {
  readonly #claim = naming();
  /** Content → nothing more than that it was there: a list of a hundred thousand tools need not be held. */
  readonly #seen = new Set<string>();
  readonly #proof: Proof;

  constructor(proof: Proof = { parameters: () => undefined, returns: () => undefined }) {
    this.#proof = proof;
  }

  sort(candidates: readonly ToolSpec[]): Sorted {
    const usable: ToolSpec[] = [];
    const rejected: Rejection[] = [];
    for (const candidate of candidates) {
      const result = this.#sift(candidate);
      if (typeof result === 'string') rejected.push({ name: candidate.name, source: candidate.source, reason: result });
      else usable.push(result);
    }
    return { usable, rejected };
  }

  /** The tool as it is kept, or why it is not. */
  #sift(candidate: ToolSpec): ToolSpec | string {
    const parameters = safeSchema(candidate.parameters);
    if (!parameters.ok) return parameters.reason;
    if (parameters.schema['type'] !== 'object') return 'parameters are no object schema';
    const complaint = this.#proof.parameters(parameters.schema);
    if (complaint !== undefined) return complaint;
    const returns = candidate.returns === undefined ? undefined : safeSchema(candidate.returns);
    const keepsReturns = returns?.ok === true && this.#proof.returns(returns.schema) === undefined;
    const { returns: _, ...bare } = candidate;
    const safe = { ...bare, parameters: parameters.schema, ...(keepsReturns ? { returns: returns.schema } : {}) };
    // The name as it came: two tools of one name and different content are two tools, with equal content they are one.
    const content = hash(canonical([candidate.name, safe.description, safe.parameters, safe.category]));
    if (this.#seen.has(content)) return 'the same tool again';
    const named = { ...safe, name: this.#claim(candidate.name) };
    const read = ToolSpec.safeParse(named);
    if (!read.success) return read.error.issues[0]?.message ?? 'not a tool';
    this.#seen.add(content);
    return named;
  }
}

/** The whole of one list at once. */
export const sortTools = (candidates: readonly ToolSpec[]): Sorted => new Sieve().sort(candidates);

const hash = (text: string): string => createHash('sha256').update(text).digest('base64').slice(0, 24);
