/** The loss of something a run cannot go on without (its record, a server, a trainer), heard by whoever waits just then and whoever waits later. Knows neither what was lost nor what is waited for. */

export interface Loss {
  /** The first one told is the reason. */
  fail(fault: unknown): void;
  /**
   * Settles as `work` does, or rejects with what was lost. Nothing of `work` is kept once it has settled: a race against a promise that lasts as long as the run
   * would keep every result for as long.
   */
  orLost<T>(work: Promise<T>): Promise<T>;
}

export function lossOf(): Loss {
  const waiting = new Set<(fault: unknown) => void>();
  let lost: { readonly fault: unknown } | undefined;
  return {
    fail: (fault) => {
      lost ??= { fault };
      for (const reject of waiting) reject(lost.fault);
    },
    orLost: (work) =>
      new Promise((resolve, reject) => {
        if (lost !== undefined) reject(lost.fault);
        else waiting.add(reject);
        void work.then(resolve, reject).finally(() => waiting.delete(reject));
      }),
  };
}
