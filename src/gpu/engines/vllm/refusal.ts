/** What a status other than 2xx means: which trouble it is, and the server's own words. Knows error bodies; no request. */
import { EngineFault, type EngineTrouble } from '../../../errors.ts';
import type { HttpReply } from './http.ts';

/** The fault for a reply that is no success. `what` opens its message: `POST /v1/completions`. */
export function refusalOf({ status, text }: HttpReply, what: string): EngineFault {
  return new EngineFault(`${what} answered ${status}: ${wordsOf(text)}`, { raw: text, trouble: troubleOf(status) });
}

export const isSuccess = ({ status }: HttpReply): boolean => status >= 200 && status < 300;

function troubleOf(status: number): EngineTrouble {
  // vLLM's queue bounds and its pauses answer 503; hosted servers limit rates with 429.
  if (status === 429 || status === 503) return 'overloaded';
  // What a proxy says when there is nobody behind it.
  if (status === 502 || status === 504) return 'unreachable';
  if (status === 408) return 'stalled';
  return status >= 500 ? 'internal' : 'refused';
}

/** vLLM says `{error: {message}}`, its older versions `{message}`, its web framework `{detail}`; anything else is quoted. */
export function wordsOf(text: string): string {
  const body = parsed(text);
  const error = isRecord(body) && isRecord(body['error']) ? body['error'] : body;
  const words = isRecord(error) ? (error['message'] ?? error['detail']) : undefined;
  const said = typeof words === 'string' ? words : text;
  const line = said.replace(/\s+/g, ' ').trim();
  return line === '' ? 'nothing more' : line.length > 300 ? `${line.slice(0, 300)}…` : line;
}

/** Does the reply say that the model, here an adapter, is not there? That a path is not there is said with the same status. */
export function isUnknownModel({ status, text }: HttpReply): boolean {
  if (status !== 404) return false;
  const body = parsed(text);
  return isRecord(body) && isRecord(body['error']);
}

/** JSON or undefined: bodies are hostile. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
