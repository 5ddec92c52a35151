/**
 * One vLLM server as an Engine: the frozen base under its own name, each version of the policy as an adapter under another. It samples over HTTP and batches nothing:
 * the server does that, and the broker keeps it full. It trusts no reply; one that was asked of a role's model and came from another is a fault.
 */
import { CancelledFault, ConfigFault, EngineFault } from '../../errors.ts';
import type { PolicyVersion } from '../../protocol/ids.ts';
import type { TokenReply, TokenRequest } from '../../protocol/inference.ts';
import type { Weights } from '../../protocol/policy.ts';
import type { Clock } from '../clock.ts';
import type { Engine } from '../engine.ts';
import { createAdapters, type Served } from './vllm/adapters.ts';
import { type Capability, complaintOf, dialectOf, lacking, probe } from './vllm/capabilities.ts';
import { createChat, type Dialect } from './vllm/chat.ts';
import { COMPLETIONS, type Completion, completionBody, readCompletion } from './vllm/completion.ts';
import { type Http, type HttpReply, openHttp } from './vllm/http.ts';
import { type Load, readLoad } from './vllm/load.ts';
import { isSuccess, isUnknownModel, refusalOf } from './vllm/refusal.ts';
import { sleepOf } from './vllm/sleep.ts';

export interface VllmOptions {
  /** Base URL of the server: `http://127.0.0.1:8000`. */
  readonly url: string;
  readonly clock: Clock;
  /** What answers at first; loaded before the first call. Version 0 of kind `full` is the frozen base itself. */
  readonly weights: Weights;
  /** Opens every adapter's name: the run's. Two runs on one server must differ in it. */
  readonly adapterPrefix: string;
  /** Tokens prompt and reply may hold together. */
  readonly contextLength: number;
  /** Samples the server can usefully hold at once (--max-num-seqs). */
  readonly concurrency: number;
  /** Name of the frozen base. Default `base`. */
  readonly servedModel?: string;
  /** Versions that answer at once; the server needs room for one adapter more. Default 1. */
  readonly versions?: number;
  /** Sockets for calls; a few more are kept for control, so that a publication never waits behind samples. Default 512. */
  readonly connections?: number;
  /** A longer reply is refused while it arrives. Default 64 MiB. */
  readonly replyBytes?: number;
  /** Milliseconds one control request may take: a load, a sleep, a question of the probe. Default 120,000. */
  readonly controlMs?: number;
  /** Whose calls it must be able to answer. Default `policy`. */
  readonly serves?: 'policy' | 'simulators' | 'both';
  /** Whether it hands the accelerator to the trainer and back. Default false. */
  readonly sleeps?: boolean;
  /** Whether the server is asked for all that is needed before the first call; false only for the fake, which has no model to be asked. Default true. */
  readonly probed?: boolean;
  /** Whether an adapter's file must hash to its weights' sha256. Default true. */
  readonly verified?: boolean;
  /** Whether full weights of every version are the base: for a trainer that changes nothing. Default false. */
  readonly unchanging?: boolean;
  /** What the fake server is to say, one list of ids a sample; vLLM passes it over. */
  readonly script?: (request: TokenRequest) => readonly (readonly number[])[];
}

export interface VllmEngine extends Engine {
  /**
   * Probes the server, warms it up and loads the first weights; every call waits for that anyway. Resolves with what was found, nothing if not `probed`.
   * Rejects with ConfigFault where the server lacks what is needed, with each fix; with EngineFault where it could not be asked: then the next call tries again.
   */
  ready(): Promise<readonly Capability[]>;
}

const CONTROL_CONNECTIONS = 4;
/** A reading of the load that takes longer is worth nothing. */
const LOAD_MS = 10_000;
/** How long a server that may be gone is asked to wake, and to forget our adapters. */
const FAREWELL_MS = 2_000;

export function createVllmEngine(options: VllmOptions): VllmEngine {
  const { url, clock, contextLength, script } = options;
  const { servedModel = 'base', versions = 1, connections = 512, replyBytes = 64 * 1024 * 1024, controlMs = 120_000 } = options;
  const { serves = 'policy', sleeps = false, probed = true, verified = true, unchanging = false } = options;
  const calls = openHttp({ url, connections, replyBytes, clock });
  const control = openHttp({ url, connections: CONTROL_CONNECTIONS, replyBytes, clock });
  const adapters = createAdapters({
    http: control,
    base: servedModel,
    prefix: options.adapterPrefix,
    versions,
    deadlineMs: controlMs,
    unchanging,
    verified,
  });
  const sleep = sleeps ? sleepOf(control, controlMs) : undefined;
  let dialect: Dialect = { extended: true, priorities: true };
  const chat = createChat({ http: calls, model: servedModel, dialect: () => dialect });
  const totals = { calls: 0, promptTokens: 0, sampledTokens: 0, busySeconds: 0 };
  let told: number | undefined;
  let first: Load | undefined;
  let last: Load | undefined;
  let overloaded = false;
  let busy = 0;
  let busySince = 0;
  let closed = false;

  let opening: Promise<readonly Capability[]> | undefined;
  let isOpen = false;
  const open = (): Promise<readonly Capability[]> => {
    opening ??= start().catch((fault: unknown) => {
      // A server that is not up yet may be asked again; one that lacks something will not grow it.
      if (!(fault instanceof ConfigFault)) opening = undefined;
      throw fault;
    });
    return opening;
  };
  const start = async (): Promise<readonly Capability[]> => {
    let rows: readonly Capability[] = [];
    const slept = await sleep?.endForeign();
    if (probed) {
      const models = await control.send({ method: 'GET', path: '/v1/models', deadlineMs: controlMs });
      if (!isSuccess(models)) throw refusalOf(models, 'GET /v1/models');
      rows = await probe(control, { clock, servedModel, contextLength, versions, adapters: !unchanging, sleeps, deadlineMs: controlMs });
      if (closed) throw closedFault(url);
      const missing = lacking(rows, serves);
      if (missing.length > 0)
        throw new ConfigFault(
          `the server at ${url} cannot serve ${WHOM[serves]}:\n${missing.map((row) => `  ${complaintOf(row)}`).join('\n')}`,
        );
      dialect = dialectOf(rows);
    }
    await adapters.publish(options.weights);
    // It may have had them already, from before its sleep.
    if (slept === true) await adapters.reload();
    first = await readingOf(control).catch(() => undefined);
    isOpen = true;
    return rows;
  };

  const measured = async <T>(work: () => Promise<T>): Promise<T> => {
    if (busy++ === 0) busySince = clock.now();
    try {
      return await work();
    } catch (fault) {
      if (fault instanceof EngineFault && fault.trouble === 'overloaded') overloaded = true;
      throw fault;
    } finally {
      if (--busy === 0) totals.busySeconds += (clock.now() - busySince) / 1000;
    }
  };
  const count = ({ promptTokens, sampledTokens, cachedTokens }: Omit<Completion, 'samples'>): void => {
    totals.calls += 1;
    totals.promptTokens += promptTokens;
    totals.sampledTokens += sampledTokens;
    if (cachedTokens !== undefined) told = (told ?? 0) + cachedTokens;
  };

  /** The role's model: the policy is its version's adapter, everybody else the frozen base. */
  const servedFor = ({ role, version }: TokenRequest): Served => {
    if (role === 'policy') return adapters.serving(version);
    if (version !== null && version !== 0)
      throw new EngineFault(`role ${role} is played by the frozen base; version ${version} was asked`, { trouble: 'refused' });
    return { version: 0 as PolicyVersion, model: servedModel, dir: null };
  };

  const answer = async (request: TokenRequest, signal: AbortSignal, due: number): Promise<TokenReply> => {
    const { ids } = request;
    if (ids.length < 1 || ids.length >= contextLength)
      throw new EngineFault(`a prompt of ${ids.length} tokens; the context holds ${contextLength}, prompt and reply together`, {
        trouble: 'refused',
      });
    const served = servedFor(request);
    const body = completionBody(
      request,
      served.model,
      script === undefined ? {} : { vllm_xargs: { script: JSON.stringify(script(request)) } },
    );
    const ask = (): Promise<HttpReply> =>
      calls.send({ method: 'POST', path: COMPLETIONS, body, deadlineMs: Math.max(1, due - clock.now()), signal });
    const release = adapters.hold(served);
    try {
      let reply = await ask();
      if (served.dir !== null && isUnknownModel(reply)) {
        // It was restarted and knows the base only.
        await withinBounds(adapters.restore(), signal, due - clock.now(), clock);
        reply = await ask();
      }
      if (!isSuccess(reply)) throw refusalOf(reply, `POST ${COMPLETIONS}`);
      const { samples, ...counts } = readCompletion(reply.text, request, served.model);
      count(counts);
      return { id: request.id, version: served.version, samples };
    } finally {
      release();
    }
  };

  /** Before the first call only: afterwards nothing is waited for. */
  const opened = async (signal: AbortSignal, deadlineMs: number): Promise<void> => {
    if (closed) throw closedFault(url);
    if (signal.aborted) throw new CancelledFault('the call was cancelled');
    if (!isOpen) await withinBounds(open(), signal, deadlineMs, clock);
  };

  return {
    name: 'vllm',
    contextLength,
    concurrency: options.concurrency,
    versions,
    ready: open,
    generate: (request, signal) =>
      measured(async () => {
        const due = clock.now() + request.deadlineMs;
        await opened(signal, request.deadlineMs);
        return answer(request, signal, due);
      }),
    chat: (request, signal) =>
      measured(async () => {
        const due = clock.now() + request.deadlineMs;
        if (request.role === 'policy') throw new EngineFault('the policy does not chat: its turns are tokens', { trouble: 'refused' });
        await opened(signal, request.deadlineMs);
        const { reply, ...counts } = await chat({ ...request, deadlineMs: Math.max(1, due - clock.now()) }, signal);
        count(counts);
        return reply;
      }),
    publish: async (weights) => {
      if (closed) throw closedFault(url);
      await open();
      await adapters.publish(weights);
    },
    pressure: async (signal) => {
      const load = await readingOf(control, signal);
      const before = last ?? load;
      const refused = overloaded || load.preemptions > before.preemptions || load.rejections > before.rejections;
      last = load;
      overloaded = false;
      return { running: load.running, waiting: load.waiting, cacheUse: load.cacheUse, refused };
    },
    ...(sleep === undefined
      ? {}
      : {
          sleep: () => sleep.begin(),
          wake: async () => {
            await sleep.end();
            await adapters.reload();
          },
        }),
    metrics: async () => {
      // Servers without --enable-prompt-tokens-details tell of all their clients' cached tokens together.
      const load = told === undefined && first !== undefined && !closed ? await readingOf(control).catch(() => undefined) : undefined;
      const scraped = load === undefined || first === undefined ? 0 : Math.max(0, load.cachedTokens - first.cachedTokens);
      const running = busy > 0 ? (clock.now() - busySince) / 1000 : 0;
      return { ...totals, busySeconds: totals.busySeconds + running, cachedTokens: told ?? scraped };
    },
    close: async () => {
      if (closed) return;
      closed = true;
      await calls.close();
      await sleep?.leave(FAREWELL_MS);
      await adapters.clear(FAREWELL_MS);
      await control.close();
    },
  };
}

const WHOM = { policy: 'the policy', simulators: 'simulators', both: 'policy and simulators' };

const closedFault = (url: string): EngineFault => new EngineFault(`the engine at ${url} is closed`, { trouble: 'refused' });

async function readingOf(http: Http, signal?: AbortSignal): Promise<Load> {
  const reply = await http.send({ method: 'GET', path: '/metrics', deadlineMs: LOAD_MS, signal });
  const load = isSuccess(reply) ? readLoad(reply.text) : undefined;
  if (load === undefined) throw new EngineFault('the server tells no load', { raw: reply.text, trouble: 'malformed' });
  return load;
}

/** A call's own ends, while it waits for what it shares with others. */
function withinBounds<T>(shared: Promise<T>, signal: AbortSignal, deadlineMs: number, clock: Clock): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      disarm();
      signal.removeEventListener('abort', cancel);
    };
    const cancel = (): void => {
      end();
      reject(new CancelledFault('the call was cancelled'));
    };
    const disarm = clock.after(deadlineMs, () => {
      end();
      reject(new EngineFault(`the server was not ready within ${Math.round(deadlineMs)} ms`, { trouble: 'stalled' }));
    });
    signal.addEventListener('abort', cancel, { once: true });
    shared.finally(end).then(resolve, reject);
  });
}
