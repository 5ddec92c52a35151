/**
 * The embedded engine as an Engine: our own transformer on this CPU, in a thread of its own. Gathers what is asked while the thread is busy into the next batch;
 * computes nothing. A sample depends on its prompt and seed alone, so batching shows in time only.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { boundarySync, CancelledFault, ConfigFault, EngineFault } from '../../errors.ts';
import type { PolicyVersion } from '../../protocol/ids.ts';
import type { TokenReply, TokenRequest, TokenSample } from '../../protocol/inference.ts';
import type { Clock } from '../clock.ts';
import { startService } from '../control.ts';
import type { Engine, EngineMetrics } from '../engine.ts';
import { readConfig } from '../model-config.ts';
import { artifact } from './embedded/artifact.ts';
import type { EmbeddedEngineOptions, EngineVerbs } from './embedded/host.ts';

export interface EmbeddedEngineHost extends EmbeddedEngineOptions {
  readonly clock: Clock;
  /** Milliseconds one batch, or one publication, may take. */
  readonly deadlineMs: number;
  /** Samples of one batch; a request with more is a batch of its own. */
  readonly batch: number;
  readonly version?: PolicyVersion;
}

/** A call between its arrival and its answer. */
interface Call {
  readonly request: TokenRequest;
  resolve(samples: TokenSample[]): void;
  reject(fault: unknown): void;
  settled: boolean;
}

/** Starts the thread; weights that cannot be read reject the first call. Throws ConfigFault for a directory that holds no model. */
export function createEmbeddedEngine({ clock, deadlineMs, batch, version: first, ...options }: EmbeddedEngineHost): Engine {
  const { shape } = boundarySync(ConfigFault, `model directory ${options.model}`, () =>
    readConfig(readFileSync(join(options.model, 'config.json'), 'utf8')),
  );
  const service = startService<EngineVerbs>(artifact('./thread.js'), {
    name: 'the embedded engine',
    Kind: EngineFault,
    data: options,
    clock,
  });
  const queue: Call[] = [];
  const inFlight = new Set<Call>();
  let version = first ?? (0 as PolicyVersion);
  let closed = false;
  let pumping = false;
  const totals = { calls: 0, promptTokens: 0, sampledTokens: 0, busySeconds: 0 };
  /** The thread's time is handed out in order: batches and publications, one at a time. */
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  };

  const refusal = ({ ids, version: wanted }: TokenRequest): EngineFault | undefined => {
    if (closed) return new EngineFault('the embedded engine is closed');
    if (wanted !== null && wanted !== version) return new EngineFault(`version ${wanted} was asked; version ${version} answers`);
    if (ids.length < 1 || ids.length >= shape.maxPositions)
      return new EngineFault(`a prompt of ${ids.length} tokens; the context holds ${shape.maxPositions}, prompt and reply together`);
    // Checked here, for each call alone: the core would refuse the whole batch.
    const unknown = ids.find((id) => id < 0 || id >= shape.vocab);
    if (unknown !== undefined) return new EngineFault(`token ${unknown} is not in 0 .. ${shape.vocab - 1}`);
    return undefined;
  };

  /** The calls of the next batch, in order of arrival; what may no longer be answered is refused here, since a publication may have come between. */
  const takeBatch = (): Call[] => {
    const taken: Call[] = [];
    for (let samples = 0; queue.length > 0;) {
      const call = queue[0] as Call;
      const fault = call.settled ? undefined : refusal(call.request);
      if (call.settled || fault !== undefined) {
        queue.shift();
        if (fault !== undefined) call.reject(fault);
        continue;
      }
      if (taken.length > 0 && samples + call.request.n > batch) break;
      samples += call.request.n;
      taken.push(call);
      queue.shift();
    }
    return taken;
  };

  const runBatch = async (): Promise<void> => {
    const calls = takeBatch();
    if (calls.length === 0) return;
    for (const call of calls) inFlight.add(call);
    const began = clock.now();
    try {
      const asked = calls.map(({ request: { ids, n, seed, stop, maxTokens, temperature } }) => ({
        ids,
        n,
        seed,
        stop,
        maxTokens,
        temperature,
      }));
      const replies = await service.call('sample', deadlineMs, [asked]);
      for (const [index, call] of calls.entries()) call.resolve(replies[index] as TokenSample[]);
    } catch (fault) {
      for (const call of calls) call.reject(fault);
    }
    totals.busySeconds += (clock.now() - began) / 1000;
    for (const call of calls) inFlight.delete(call);
  };

  /** Goes on until nobody waits. It begins a turn of the event loop late, so that calls that arrive together are sampled together. */
  const pump = async (): Promise<void> => {
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (queue.length > 0) await inTurn(runBatch);
    pumping = false;
  };

  return {
    name: 'embedded',
    contextLength: shape.maxPositions,
    concurrency: batch,
    versions: 1,
    generate: (request, signal) =>
      new Promise<TokenReply>((resolve, reject) => {
        const fault = signal.aborted ? new CancelledFault(`call ${request.id} was cancelled`) : refusal(request);
        if (fault !== undefined) return reject(fault);
        const settle = (): boolean => {
          if (call.settled) return false;
          call.settled = true;
          signal.removeEventListener('abort', abort);
          return true;
        };
        const call: Call = {
          request,
          settled: false,
          resolve: (samples) => {
            if (!settle()) return;
            totals.calls += 1;
            totals.promptTokens += request.ids.length;
            totals.sampledTokens += samples.reduce((sum, sample) => sum + sample.ids.length, 0);
            resolve({ id: request.id, version, samples });
          },
          reject: (error) => {
            if (settle()) reject(error);
          },
        };
        const abort = (): void => call.reject(new CancelledFault(`call ${request.id} was cancelled`));
        signal.addEventListener('abort', abort);
        queue.push(call);
        if (pumping) return;
        pumping = true;
        void pump();
      }),
    publish: (weights) =>
      inTurn(async () => {
        await service.call('publish', deadlineMs, [weights]);
        version = weights.version;
      }),
    // What the core finds in its cache it does not tell: cachedTokens counts none.
    metrics: (): Promise<EngineMetrics> => Promise.resolve({ ...totals, cachedTokens: 0 }),
    close: async () => {
      closed = true;
      const fault = new EngineFault('the embedded engine is closed');
      for (const call of [...queue.splice(0), ...inFlight]) call.reject(fault);
      await service.close();
    },
  };
}
