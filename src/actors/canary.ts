/** How the canary's calls reach every server: through the broker, and, where there are several, to each of them beside it. Knows no prompt and no bound. */
import { EngineFault } from '../errors.ts';
import type { Broker } from '../gpu/broker-contract.ts';
import type { Engine } from '../gpu/engine.ts';
import { canaryGroup, type Sing } from '../gpu/policy-update-canary.ts';

/**
 * The broker asks again what fails for a moment. Of several servers each is asked besides: the broker would ask one, and a stale adapter on another would be trained on.
 * One that does not answer within `answerMs` is no concern of the canary's: its lane serves nothing before it has taken the weights anew.
 */
export function singWith(
  broker: Pick<Broker, 'generate' | 'abandon'>,
  engines: readonly Pick<Engine, 'generate'>[],
  answerMs: number,
): Sing {
  return async (requests, signal) => {
    try {
      const heard = await Promise.all(requests.map((request) => broker.generate(request, signal)));
      if (engines.length === 1) return [heard];
      const brief = requests.map((request) => ({ ...request, deadlineMs: Math.min(request.deadlineMs, answerMs) }));
      const beside = engines.map((engine) => Promise.all(brief.map((request) => engine.generate(request, signal))));
      const answers = await Promise.allSettled(beside);
      for (const answer of answers) if (answer.status === 'rejected' && !(answer.reason instanceof EngineFault)) throw answer.reason;
      return [heard, ...answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))];
    } finally {
      // Nobody asks them again.
      broker.abandon(canaryGroup);
    }
  };
}
