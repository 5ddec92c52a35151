/**
 * What a server can do of what we rely on, found out by effect: vLLM ignores unknown fields and silently fills absent ones, so that a 200 proves nothing.
 * Knows the fields and flags and what to do where one is missing; decides nothing: the engine and `doctor` read the rows.
 */
import { asFault, CancelledFault, EngineFault } from '../../../errors.ts';
import type { Dialect } from './chat.ts';
import { type Http, openHttp } from './http.ts';
import { type Capability, PRIORITIES, type ProbeOptions, questionsOf, type Row, VERSION } from './questions.ts';

export type { Capability, ProbeOptions } from './questions.ts';

/** Asks a running server, some dozen short requests. Resolves with a row per capability, whatever the server does; rejects only when cancelled. */
export async function probeServer(url: string, options: ProbeOptions): Promise<Capability[]> {
  const http = openHttp({ url, connections: 4, replyBytes: 16 * 1024 * 1024, clock: options.clock });
  try {
    return await probe(http, options);
  } finally {
    await http.close();
  }
}

/** The same through an open connection. */
export async function probe(http: Http, options: ProbeOptions): Promise<Capability[]> {
  const rows: Capability[] = [];
  for (const { ask, ...question } of questionsOf(http, options)) {
    if (options.signal?.aborted === true) throw new CancelledFault('the probe was cancelled');
    const row = await ask().catch((error: unknown): Row => ({ ok: false, found: asFault(EngineFault, 'probe', error).message }));
    rows.push({ ...question, ...row });
    // Without this nothing else can be found out, and each question would wait for its deadline.
    if (!row.ok && rows.length === 1) break;
  }
  return rows;
}

/** Those a server lacks that is to serve `whom`. */
export const lacking = (rows: readonly Capability[], whom: 'policy' | 'simulators' | 'both'): Capability[] =>
  rows.filter(({ ok, needed }) => !ok && needed !== 'optional' && (whom === 'both' || needed === 'both' || needed === whom));

/** How a server that answered so may be spoken to. */
export const dialectOf = (rows: readonly Capability[]): Dialect => ({
  extended: rows.some(({ what, found }) => what === VERSION && found.startsWith('vLLM')),
  priorities: rows.some(({ what, ok }) => what === PRIORITIES && ok),
});

/** One line for people: what is missing and what provides it. */
export const complaintOf = ({ what, found, fix }: Capability): string => `${what}: ${found}. ${fix}`;
