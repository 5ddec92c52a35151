/** A server's sleep: its memory is the trainer's meanwhile. Knows the paths for it and whether we put it to sleep; not what lies in the memory. */
import type { Http } from './http.ts';
import { isSuccess, refusalOf } from './refusal.ts';

export interface Sleep {
  /** Resolves when its memory is free. */
  begin(): Promise<void>;
  /** Resolves when it can compute again. Its adapters may be gone from the accelerator. */
  end(): Promise<void>;
  /** Wakes a server that a run which died left asleep: it would hold every call until then. Resolves with whether it slept; harmless where it is awake, or cannot sleep. */
  endForeign(): Promise<boolean>;
  /** Best effort: a server that others use after us must not stay asleep. */
  leave(deadlineMs: number): Promise<void>;
}

/** Whether a server says that it sleeps. Rejects with EngineFault where it cannot be asked. */
export async function isAsleep(http: Http, deadlineMs: number, signal?: AbortSignal): Promise<boolean> {
  const reply = await http.send({ method: 'GET', path: '/is_sleeping', deadlineMs, signal });
  return isSuccess(reply) && /"is_sleeping"\s*:\s*true/.test(reply.text);
}

export function sleepOf(http: Http, deadlineMs: number): Sleep {
  let ours = false;
  const post = async (path: string, patience = deadlineMs): Promise<void> => {
    const reply = await http.send({ method: 'POST', path, deadlineMs: patience });
    if (!isSuccess(reply)) throw refusalOf(reply, `POST ${path}`);
  };
  const end = async (patience?: number): Promise<void> => {
    await post('/wake_up', patience);
    ours = false;
  };
  return {
    begin: async () => {
      // Set first: one that failed half-way may sleep all the same.
      ours = true;
      await post('/sleep?level=1&mode=wait');
    },
    end: () => end(),
    endForeign: async () => {
      const slept = await isAsleep(http, deadlineMs);
      if (slept) await end();
      return slept;
    },
    leave: async (patience) => {
      if (ours) await end(patience).catch(() => undefined);
    },
  };
}
