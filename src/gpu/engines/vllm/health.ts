/** Does a server answer? Found out by the real thing: one token with its log-prob. Knows neither processes nor what is to be done about silence. */
import { EngineFault } from '../../../errors.ts';
import { type Asked, COMPLETIONS, completionBody, readCompletion } from './completion.ts';
import type { Http } from './http.ts';
import { isSuccess, refusalOf } from './refusal.ts';
import { isAsleep } from './sleep.ts';

/** With its log-prob, since that is what takes long the first time; ahead of everything that waits. Rejects with the fault of that call. */
export async function askOne(http: Http, model: string, deadlineMs: number, signal: AbortSignal): Promise<void> {
  const asked: Asked = { ids: Int32Array.of(1, 2), n: 1, seed: 0, stop: [], maxTokens: 1, temperature: 1, priority: -(2 ** 31) };
  const reply = await http.send({ method: 'POST', path: COMPLETIONS, body: completionBody(asked, model), deadlineMs, signal });
  if (!isSuccess(reply)) throw refusalOf(reply, 'a first token');
  readCompletion(reply.text, asked, model);
}

/** One that sleeps, or is too busy to take more, is alive; one that says it cannot is not. */
export async function isAlive(http: Http, model: string, deadlineMs: number, signal: AbortSignal): Promise<boolean> {
  try {
    if (await isAsleep(http, deadlineMs, signal)) return true;
    await askOne(http, model, deadlineMs, signal);
    return true;
  } catch (fault) {
    return fault instanceof EngineFault && fault.trouble === 'overloaded';
  }
}
